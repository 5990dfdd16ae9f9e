//! The panel of a list: to its right where there is room, else below it, else hidden.

use ratatui::layout::Rect;

use crate::tui::widgets::layout::{cut_bottom, cut_right};

/// From this width on, the panel is to the right of the list instead of below it.
const FROM_WIDTH: u16 = 110;
/// Lines of the panel below the list.
const HEIGHT: u16 = 8;
/// A lower screen has no room for the panel.
const FROM_HEIGHT: u16 = 16;

/// The areas of a list and its panel; a panel without area is hidden.
pub(in crate::tui) struct Split {
    pub(in crate::tui) list: Rect,
    pub(in crate::tui) panel: Rect,
    pub(in crate::tui) is_side_by_side: bool,
}

/// Splits the rest of a screen of the given height.
pub(in crate::tui) fn split(rest: Rect, height: u16) -> Split {
    let is_side_by_side = rest.width >= FROM_WIDTH;
    let (list, panel) = if is_side_by_side {
        cut_right(rest, rest.width / 3 + 4)
    } else if height >= FROM_HEIGHT {
        cut_bottom(rest, HEIGHT)
    } else {
        (rest, Rect::ZERO)
    };
    Split { list, panel, is_side_by_side }
}

/// Splits only if the panel fits to the right of the list.
pub(in crate::tui) fn split_side_by_side(rest: Rect) -> Split {
    if rest.width >= FROM_WIDTH {
        split(rest, 0)
    } else {
        Split { list: rest, panel: Rect::ZERO, is_side_by_side: false }
    }
}
