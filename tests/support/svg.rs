//! A screen as an SVG picture, for the README.

use std::fmt::Write;

use connector_admin::text::terminal::width;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

const CELL: (usize, usize) = (9, 19);
const TEXT: &str = "#d8dee9";
const GROUND: &str = "#1d2129";

/// The picture of a screen.
pub fn picture(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (wide, high) = (usize::from(area.width) * CELL.0 + 24, usize::from(area.height) * CELL.1 + 24);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">\n"
    );
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let start = x;
            let look = look(&buffer[(x, y)]);
            let mut text = String::new();
            let mut cells = 0;
            while x < area.width && look == self::look(&buffer[(x, y)]) {
                let symbol = buffer[(x, y)].symbol();
                let symbol_width = width(symbol).max(1);
                text.push_str(symbol);
                cells += symbol_width;
                x += u16::try_from(symbol_width).unwrap();
                // A wide character ends its run, so that a font that disagrees cannot shift the rest.
                if symbol_width > 1 {
                    break;
                }
            }
            run(&mut svg, usize::from(start), usize::from(y), cells, &text, look);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

type Look = (&'static str, Option<&'static str>, bool);

fn look(cell: &Cell) -> Look {
    let colour = match cell.fg {
        Color::Cyan => "#88c0d0",
        Color::Green => "#a3be8c",
        Color::Magenta => "#d3a4d8",
        Color::Red => "#e0707a",
        _ => TEXT,
    };
    let bold = cell.modifier.contains(Modifier::BOLD);
    if cell.modifier.contains(Modifier::REVERSED) { (GROUND, Some(colour), bold) } else { (colour, None, bold) }
}

fn run(svg: &mut String, x: usize, y: usize, cells: usize, text: &str, (colour, ground, bold): Look) {
    let (left, top) = (12 + x * CELL.0, 12 + y * CELL.1);
    if let Some(ground) = ground {
        let wide = cells * CELL.0;
        writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{}\" fill=\"{ground}\"/>", CELL.1)
            .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" fill=\"{colour}\"{weight} textLength=\"{}\">{text}</text>",
        top + 14,
        cells * CELL.0
    )
    .unwrap();
}
