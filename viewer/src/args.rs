//! The command line of the viewer. No patient data and no key ever stands in it.

use clap::{Parser, ValueEnum};
use mj_model::Lang;
use std::path::PathBuf;

/// Mingjing's viewer: reading room, planning room, or a worker without a window.
#[derive(Debug, Clone, Parser)]
#[command(name = "mingjing-viewer", version)]
pub struct Args {
    /// Which room to open.
    #[arg(long, value_enum, conflicts_with = "headless")]
    pub room: Option<RoomName>,
    /// No window: take jobs over stdin, answer on stdout.
    #[arg(long)]
    pub headless: bool,
    /// The room is driven by a parent program over stdin and stdout.
    #[arg(long)]
    pub stdio: bool,
    /// Folders or files of DICOM images to show, without a record.
    pub paths: Vec<PathBuf>,
    /// A DICOM SEG to plan on, when it does not lie among the images (planning room).
    #[arg(long, value_name = "FILE")]
    pub seg: Option<PathBuf>,
    /// Language of texts; a parent's Hello overrides it.
    #[arg(long, default_value = "zh")]
    pub lang: Lang,
    /// What draws the pictures.
    #[arg(long, value_enum, default_value_t = MakerChoice::Auto)]
    pub maker: MakerChoice,
    /// Colours.
    #[arg(long, value_enum, default_value_t = ThemeName::Dark)]
    pub theme: ThemeName,
    /// Print the rectangles of viewports and buttons to stderr as JSON lines when they change (for tests).
    #[arg(long, env = "MINGJING_LAYOUT_JSON")]
    pub layout_json: bool,
    /// Size of the window in logical pixels, for example 1366x768; maximised by default.
    #[arg(long, value_parser = size)]
    pub window: Option<[f32; 2]>,
    /// Where the window's outer top left corner lies, in logical pixels of all screens together, for example
    /// 1920,0 or -1920,0.
    #[arg(long, value_parser = corner, value_name = "X,Y", allow_hyphen_values = true)]
    pub at: Option<[f32; 2]>,
}

/// Rooms with a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoomName {
    /// Linked slices, measurements, key images.
    Reading,
    /// Segments, cuts and volumes in 3D.
    Planning,
}

/// What draws the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MakerChoice {
    /// The graphics card where there is a real one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The graphics card, even a software one.
    Gpu,
}

/// Colour themes of `assets/theme.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThemeName {
    /// For the reading room.
    #[default]
    Dark,
    /// For a bright clinic.
    Light,
    /// Highest contrast.
    HighContrast,
}

fn size(text: &str) -> Result<[f32; 2], String> {
    let (w, h) = text.split_once('x').ok_or("expected WIDTHxHEIGHT")?;
    let side = |t: &str| t.parse::<f32>().map_err(|e| e.to_string()).and_then(|v| if v >= 200.0 { Ok(v) } else { Err("too small".into()) });
    Ok([side(w)?, side(h)?])
}

fn corner(text: &str) -> Result<[f32; 2], String> {
    let (x, y) = text.split_once(',').ok_or("expected X,Y")?;
    let side = |t: &str| {
        t.trim().parse::<f32>().map_err(|e| e.to_string()).and_then(|v| if v.is_finite() { Ok(v) } else { Err("not a number".into()) })
    };
    Ok([side(x)?, side(y)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        let args =
            Args::parse_from(["mingjing-viewer", "--room", "reading", "--maker", "cpu", "--window", "1366x768", "--lang", "en", "x"]);
        assert_eq!((args.room, args.maker, args.lang), (Some(RoomName::Reading), MakerChoice::Cpu, Lang::En));
        assert_eq!(args.window, Some([1366.0, 768.0]));
        assert!(Args::try_parse_from(["mingjing-viewer", "--headless", "--room", "reading"]).is_err());
    }

    #[test]
    fn a_place_on_any_screen_is_read() {
        let at =
            |text: &str| Args::try_parse_from(["mingjing-viewer", "--room", "planning", "--at", text, "folder"]).map(|a| (a.at, a.paths));
        let folder = || vec![PathBuf::from("folder")];
        assert_eq!(at("1920,0").unwrap(), (Some([1920.0, 0.0]), folder()));
        assert_eq!(at("-1920,-20.5").unwrap(), (Some([-1920.0, -20.5]), folder()));
        for wrong in ["", "12", "12x30", "1,", "1,2,3", "nan,0", "inf,0"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Args::parse_from(["mingjing-viewer", "--at=-5,7"]).at, Some([-5.0, 7.0]));
        assert_eq!(Args::parse_from(["mingjing-viewer"]).at, None);
    }
}
