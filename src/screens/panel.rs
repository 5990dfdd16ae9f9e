//! The panel that goes with a list: beside it where there is room, else below it, else nowhere.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders};

use crate::ui::layout::{cut_bottom, cut_right};
use crate::ui::theme::Theme;

/// From this width on, the panel stands beside the list instead of below it.
const FROM_WIDTH: u16 = 110;
/// Lines of the panel below the list.
const HEIGHT: u16 = 7;
/// Below this height of the screen there is no room for it.
const FROM_HEIGHT: u16 = 16;

/// Where the list and its panel are; a panel without area is not shown.
pub(super) struct Split {
    pub(super) list: Rect,
    pub(super) panel: Rect,
    pub(super) beside: bool,
}

/// Splits what is left of a screen of the given height.
pub(super) fn split(rest: Rect, height: u16) -> Split {
    let beside = rest.width >= FROM_WIDTH;
    let (list, panel) = if beside {
        cut_right(rest, rest.width / 3 + 4)
    } else if height >= FROM_HEIGHT {
        cut_bottom(rest, HEIGHT)
    } else {
        (rest, Rect::ZERO)
    };
    Split { list, panel, beside }
}

/// Splits where the panel is only wanted beside the list.
pub(super) fn split_beside(rest: Rect) -> Split {
    if rest.width >= FROM_WIDTH { split(rest, 0) } else { Split { list: rest, panel: Rect::ZERO, beside: false } }
}

/// Draws the line that parts the panel from the list; gives the room inside.
pub(super) fn edge(frame: &mut Frame<'_>, area: Rect, beside: bool, theme: Theme) -> Rect {
    let borders = if beside { Borders::LEFT } else { Borders::TOP };
    let block = Block::new().borders(borders).border_style(theme.border());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if beside { Rect { x: inside.x + 1, width: inside.width.saturating_sub(1), ..inside } } else { inside }
}
