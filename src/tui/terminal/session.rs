//! Entering and leaving the terminal, in one place and safe to do twice. All that is drawn goes through [`Session::draw`].
#![expect(clippy::disallowed_methods, reason = "the one place that has the terminal")]

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue, style};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;

use super::{input, whole_rows};
use crate::text::terminal::make_cells_safe;

/// The terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The mouse is on.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The terminal while the program has it. Dropping it gives it back.
pub struct Session {
    /// None only while this is dropped.
    terminal: Option<Screen>,
    /// The current content of the terminal.
    shown: Buffer,
}

type Screen = Terminal<CrosstermBackend<Stdout>>;

impl Session {
    /// Enters the terminal.
    ///
    /// # Errors
    /// If standard input or output is not a terminal, or the terminal cannot show a screen.
    pub fn enter(mouse: bool) -> anyhow::Result<Self> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            bail!("this is not a terminal; use the commands instead, for example `connector-admin list` (see --help)");
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            bail!("the terminal (TERM=dumb) cannot show a screen; use the commands instead (see --help)");
        }
        // The theme decides about colour. With NO_COLOR, crossterm would write an empty colour command that also
        // switches reverse and bold off, and the cursor row would be invisible.
        style::force_color_output(true);
        MOUSE.store(mouse, Ordering::SeqCst);
        enter()?;
        Ok(Self { terminal: Some(screen()?), shown: Buffer::default() })
    }

    /// Draws a frame in one synchronized update.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        if let Some(terminal) = &mut self.terminal {
            let shown = &self.shown;
            let frame = terminal.try_draw(|frame| {
                view(frame);
                make_cells_safe(frame.buffer_mut());
                // This goes out before the cells do.
                for row in whole_rows::renew(shown, frame.buffer_mut()) {
                    queue!(io::stdout(), cursor::MoveTo(0, row), Clear(ClearType::CurrentLine))?;
                }
                io::Result::Ok(())
            })?;
            self.shown.clone_from(frame.buffer);
        }
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    /// Turns the mouse on or off.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn use_mouse(&mut self, mouse: bool) -> io::Result<()> {
        MOUSE.store(mouse, Ordering::SeqCst);
        if mouse { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    /// Returns the current size.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        terminal::size()
    }

    /// Restores the terminal, stops the process, and enters the terminal again after it continues.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn suspend(&mut self) -> anyhow::Result<()> {
        leave();
        // Raised, not emulated: the system ignores it where no shell could continue the process.
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        self.resume()
    }

    /// Lends the terminal to another program while `work` runs.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn lend<T>(&mut self, work: impl FnOnce() -> T) -> anyhow::Result<T> {
        let outcome = input::lend(|| {
            leave();
            work()
        });
        self.resume()?;
        Ok(outcome)
    }

    /// Enters the terminal again, whatever happened to it, and redraws the next frame completely.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        ENTERED.store(false, Ordering::SeqCst);
        enter()?;
        self.clean()
    }

    /// Redraws the next frame on an empty screen.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn clean(&mut self) -> anyhow::Result<()> {
        // A new screen: clearing the old one would query the cursor, whose reply the input thread reads.
        put_away(self.terminal.replace(screen()?));
        self.shown = Buffer::default();
        queue!(io::stdout(), BeginSynchronizedUpdate, Clear(ClearType::All))?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        put_away(self.terminal.take());
        leave();
    }
}

fn screen() -> anyhow::Result<Screen> {
    Terminal::new(CrosstermBackend::new(io::stdout())).context("the terminal cannot be used")
}

/// A screen that cannot restore the cursor prints to standard error, and panics if that terminal is gone.
fn put_away(screen: Option<Screen>) {
    if let Some(mut screen) = screen
        && screen.show_cursor().is_err()
    {
        std::mem::forget(screen);
    }
}

fn enter() -> anyhow::Result<()> {
    enable_raw_mode().context("the terminal cannot be used")?;
    ENTERED.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
        .and_then(|()| if MOUSE.load(Ordering::SeqCst) { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) })
        .inspect_err(|_| leave())
        .context("the terminal cannot be used")
}

/// Gives the terminal back; does nothing when that was done. Also for panics and signals.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that does not support this cannot be helped.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        style::ResetColor,
        style::SetAttribute(style::Attribute::Reset),
        cursor::Show
    );
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

/// On a panic in any thread the terminal is restored first. The panic message may contain text of records, so only its
/// location is printed.
pub fn restore_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        leave();
        let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
        let _ = writeln!(
            io::stderr(),
            "connector-admin: an internal error{place}. Changes that were reported as done are in the file."
        );
    }));
}
