//! Entering and leaving the terminal, in one place and safe to do twice. All that is drawn goes through [`Session::draw`].
#![expect(clippy::disallowed_methods, reason = "the one place that has the terminal")]

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, queue, style};

use super::{input, whole_rows};
use crate::ui::text::make_cells_safe;

/// The terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The mouse is wanted.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The terminal while the program has it. Dropping it gives it back.
pub struct Session {
    /// None only while this is dropped.
    terminal: Option<Screen>,
    /// What the terminal shows.
    shown: Buffer,
}

type Screen = Terminal<CrosstermBackend<Stdout>>;

impl Session {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard input or output is not a terminal, or it is one that cannot show a screen.
    pub fn enter(mouse: bool) -> anyhow::Result<Self> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            bail!("this is not a terminal; use the commands instead, for example `connector-admin list` (see --help)");
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            bail!("the terminal says TERM=dumb and cannot show a screen; use the commands instead (see --help)");
        }
        // The theme decides about colour. Left to itself, crossterm with NO_COLOR writes an empty colour
        // command that also switches reverse and bold off, and the selection cannot be seen.
        style::force_color_output(true);
        MOUSE.store(mouse, Ordering::SeqCst);
        enter()?;
        Ok(Self { terminal: Some(screen()?), shown: Buffer::default() })
    }

    /// Draws a frame, shown at once or not at all.
    ///
    /// # Errors
    /// When the terminal has gone.
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

    /// Takes the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn use_mouse(&mut self, mouse: bool) -> io::Result<()> {
        MOUSE.store(mouse, Ordering::SeqCst);
        if mouse { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    /// The size now.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        terminal::size()
    }

    /// Gives the terminal back, stops the process, and takes it again when it goes on.
    ///
    /// # Errors
    /// When the terminal has gone meanwhile.
    pub fn suspend(&mut self) -> anyhow::Result<()> {
        leave();
        // Raised, not emulated: the system drops it where nobody could wake the program up again.
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        self.resume()
    }

    /// Gives the terminal to another program for as long as `work` takes.
    ///
    /// # Errors
    /// When the terminal has gone meanwhile.
    pub fn lend<T>(&mut self, work: impl FnOnce() -> T) -> anyhow::Result<T> {
        let outcome = input::lend(|| {
            leave();
            work()
        });
        self.resume()?;
        Ok(outcome)
    }

    /// Takes the terminal again, whatever happened to it, and draws everything anew next time.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        ENTERED.store(false, Ordering::SeqCst);
        enter()?;
        self.clean()
    }

    /// The next frame is drawn anew on an empty screen.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn clean(&mut self) -> anyhow::Result<()> {
        // A new one, since clearing the old one asks for the cursor, whose answer the input thread takes.
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

/// Left to itself, a screen that cannot show the cursor any more says so on standard error, and panics when that is
/// the terminal that has gone.
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
    // Nothing can be done about a terminal that does not take this.
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

/// On a panic in any thread the terminal is given back first. What the panic says may hold text of
/// records, so only its place is told.
pub fn restore_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        leave();
        let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
        let _ = writeln!(
            io::stderr(),
            "connector-admin: an internal error{place}. Changes that were told as done are in the file."
        );
    }));
}
