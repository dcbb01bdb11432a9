//! whisper.cpp behind a small door.

use crate::words::{Token, text, words};
use crate::{Error, ModelFile, Result, cut, sound::RATE};
use mj_link::speech::Word;
use std::path::Path;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

/// Threads that recognition may use: the rest of the machine draws pictures.
const THREADS: i32 = 2;
/// Seconds of sound per step of the encoder.
const STEP_S: f64 = 0.02;
/// Longest piece given to the model at once, whatever its window. Units: s.
const LONGEST_PIECE_S: f64 = 28.0;
/// whisper.cpp returns nothing for less than a tenth of a second. Units: samples.
const SHORTEST_PIECE: usize = RATE as usize / 2;

/// A spoken language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// Chinese.
    Zh,
    /// English.
    En,
    /// Whatever the model hears.
    Auto,
}

impl Spoken {
    /// From `zh`, `en` or `auto`.
    ///
    /// # Errors
    /// [`Error::LanguageUnknown`].
    pub fn parse(language: &str) -> Result<Self> {
        match language {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            "auto" => Ok(Self::Auto),
            other => Err(Error::LanguageUnknown { language: other.into() }),
        }
    }
}

/// What was recognised.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognised {
    /// The running text.
    pub text: String,
    /// Word by word.
    pub words: Vec<Word>,
}

impl Recognised {
    /// Adds what follows.
    pub fn append(&mut self, next: Self) {
        // Chinese needs no space between two pieces, Latin letters do.
        let needs_space = self.text.chars().last().is_some_and(|c| c.is_ascii()) && next.text.starts_with(|c: char| c.is_ascii());
        if needs_space && !next.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&next.text);
        self.words.extend(next.words);
    }
}

/// A loaded model.
pub struct Recogniser {
    state: WhisperState,
    // The state points into the context, so it is dropped first.
    context: WhisperContext,
    about: ModelFile,
}

impl std::fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recogniser").field("about", &self.about).finish_non_exhaustive()
    }
}

impl Recogniser {
    /// Checks a model file and loads it.
    ///
    /// # Errors
    /// Those of [`ModelFile::check`], [`Error::ProcessorTooOld`], and [`Error::Recogniser`] when whisper.cpp refuses it.
    pub fn load(path: &Path) -> Result<Self> {
        check_processor()?;
        let about = ModelFile::check(path)?;
        // Without a logger of ours behind it this keeps whisper.cpp silent, whose words could name files.
        whisper_rs::install_logging_hooks();
        let mut params = WhisperContextParameters::new();
        // Flash attention of the processor pads keys without a mask, which costs words with short windows.
        params.use_gpu(false).flash_attn(false);
        let context = WhisperContext::new_with_params(path, params).map_err(|e| failed("loading", &e))?;
        let state = context.create_state().map_err(|e| failed("starting", &e))?;
        Ok(Self { state, context, about })
    }

    /// What the model's header says.
    #[must_use]
    pub const fn about(&self) -> &ModelFile {
        &self.about
    }

    /// Longest sound taken in one piece. Units: samples.
    #[must_use]
    pub fn longest_piece(&self) -> usize {
        let window_s = f64::from(self.about.n_audio_ctx) * STEP_S;
        (window_s.min(LONGEST_PIECE_S) * f64::from(RATE)) as usize
    }

    /// Whether the model can do a language.
    ///
    /// # Errors
    /// [`Error::LanguageNotInModel`].
    pub const fn speaks(&self, language: Spoken) -> Result<()> {
        if matches!(language, Spoken::Zh) && !self.about.is_multilingual { Err(Error::LanguageNotInModel) } else { Ok(()) }
    }

    /// Recognises a sound of any length, piece by piece; `so_far` sees the text after each piece but the last.
    ///
    /// # Errors
    /// [`Error::LanguageNotInModel`], [`Error::Recogniser`].
    pub fn recognise(&mut self, samples: &[f32], language: Spoken, mut so_far: impl FnMut(&Recognised)) -> Result<Recognised> {
        self.speaks(language)?;
        let pieces = cut::pieces(samples, self.longest_piece());
        let mut all = Recognised::default();
        let n = pieces.len();
        for (i, piece) in pieces.into_iter().enumerate() {
            let start_s = piece.start as f64 / f64::from(RATE);
            let sound = samples.get(piece).unwrap_or_default();
            all.append(self.piece(sound, start_s, language)?);
            if i + 1 < n {
                so_far(&all);
            }
        }
        Ok(all)
    }

    fn piece(&mut self, sound: &[f32], start_s: f64, language: Spoken) -> Result<Recognised> {
        let length_s = sound.len() as f64 / f64::from(RATE);
        let mut sound = sound.to_vec();
        if sound.len() < SHORTEST_PIECE {
            sound.resize(SHORTEST_PIECE, 0.0);
        }
        self.state.full(params(language, self.about.is_multilingual), &sound).map_err(|e| failed("recognising", &e))?;
        let tokens = self.tokens(start_s, length_s);
        Ok(Recognised { text: text(&tokens), words: words(&tokens) })
    }

    /// The tokens that are text; those that steer (language, end, times) have the highest numbers.
    fn tokens(&self, start_s: f64, length_s: f64) -> Vec<Token> {
        let first_special = self.context.token_eot();
        let mut out = Vec::new();
        for segment in self.state.as_iter() {
            for n in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(n) else { continue };
                let Ok(bytes) = token.to_bytes() else { continue };
                // A vocabulary with fewer words than numbers is filled up with names in brackets.
                if token.token_id() >= first_special || bytes.starts_with(b"[_") {
                    continue;
                }
                let data = token.token_data();
                // Hundredths of a second; a model without timestamps may say the end of its window.
                let at = |hundredths: i64| start_s + (hundredths.max(0) as f64 / 100.0).min(length_s);
                let probability = f64::from(token.token_probability());
                out.push(Token { bytes: bytes.to_vec(), start_s: at(data.t0), end_s: at(data.t1), probability });
            }
        }
        out
    }
}

fn params(language: Spoken, is_multilingual: bool) -> FullParams<'static, 'static> {
    let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    params.set_n_threads(THREADS);
    params.set_print_special(false);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);
    params.set_token_timestamps(true);
    // Each piece stands alone: a wrong sentence must not pull the next one after it.
    params.set_no_context(true);
    // With it the end of the text cannot come first, so that silence could never be empty.
    params.set_suppress_blank(false);
    let language = match language {
        _ if !is_multilingual => "en",
        Spoken::Zh => "zh",
        Spoken::En => "en",
        Spoken::Auto => "auto",
    };
    params.set_language(Some(language));
    params
}

fn failed(doing: &str, e: &whisper_rs::WhisperError) -> Error {
    Error::Recogniser { why: format!("{doing}: {e}") }
}

/// whisper.cpp is built for processors with AVX2 and its kin (2013 and later); an older one would end the process
/// at the first sum.
fn check_processor() -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    {
        let has = [
            ("AVX2", std::is_x86_feature_detected!("avx2")),
            ("FMA", std::is_x86_feature_detected!("fma")),
            ("F16C", std::is_x86_feature_detected!("f16c")),
            ("BMI2", std::is_x86_feature_detected!("bmi2")),
        ];
        let missing: Vec<&str> = has.iter().filter(|(_, has)| !has).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            return Err(Error::ProcessorTooOld { missing: missing.join(", ") });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_by_their_script() {
        for (first, next, joined) in
            [("no effusion.", "heart normal", "no effusion. heart normal"), ("右肺", "清晰", "右肺清晰"), ("", "a", "a"), ("a", "", "a")]
        {
            let piece = |text: &str| Recognised { text: text.into(), words: Vec::new() };
            let mut all = piece(first);
            all.append(piece(next));
            assert_eq!(all.text, joined);
        }
    }
}
