//! What the program, the file and the configuration are.

use crate::tui::context::Context;
use crate::tui::overlays::{Dialog, Tone};

/// Returns the dialog about the program.
pub(in crate::tui) fn about(cx: &Context) -> Dialog {
    let configuration = cx.configuration.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    let scheme = cx.ui.theme.scheme().name();
    Dialog::new("About", "Close")
        .line(format!("connector-admin {}", env!("CARGO_PKG_VERSION")))
        .lines([(Tone::Head, "File".to_owned())])
        .line(cx.path.display().to_string())
        .lines([(Tone::Head, "Configuration: theme, keys, mouse".to_owned())])
        .line(configuration)
        .line(format!("theme {scheme}, mouse {}", if cx.has_mouse { "on" } else { "off" }))
        .line("connector-admin keys lists the names of actions for own keys.")
}
