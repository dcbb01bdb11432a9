//! Sound as the recogniser wants it: one channel, 16,000 samples a second, from -1 to 1.

use crate::{Error, Result};
use hound::{SampleFormat, WavReader};
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};
use std::path::Path;

/// Samples a second that the recogniser takes.
pub const RATE: u32 = 16_000;
/// Longest sound file taken. Units: s.
pub const LONGEST_S: u64 = 2 * 60 * 60;
/// Lowest loudness that is told. Units: dB full scale.
pub const SILENCE_DBFS: f64 = -96.0;
/// Frames that the resampler is given at a time.
const CHUNK: usize = 1024;

/// Reads a WAV file of any rate, depth and number of channels.
///
/// Shape: samples at [`RATE`], all channels averaged.
///
/// # Errors
/// [`Error::SoundUnreadable`] and [`Error::SoundTooLong`].
pub fn read_wav(path: &Path) -> Result<Vec<f32>> {
    let unreadable = |e: hound::Error| {
        // The words of hound hold no path; those of the system might.
        let why = match &e {
            hound::Error::IoError(io) => io.kind().to_string(),
            other => other.to_string(),
        };
        Error::SoundUnreadable { path: path.into(), why }
    };
    let mut reader = WavReader::open(path).map_err(unreadable)?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.sample_rate == 0 {
        return Err(Error::SoundUnreadable { path: path.into(), why: "no channels or no sample rate".into() });
    }
    if u64::from(reader.duration()) > LONGEST_S * u64::from(spec.sample_rate) {
        return Err(Error::SoundTooLong { limit_s: LONGEST_S });
    }
    let frames: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<std::result::Result<_, _>>().map_err(unreadable)?,
        SampleFormat::Int => {
            let full = f32::from(2_u8).powi(i32::from(spec.bits_per_sample.max(1)) - 1);
            let samples: std::result::Result<_, _> = reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full)).collect();
            samples.map_err(unreadable)?
        }
    };
    let mono = mix(&frames, spec.channels.into());
    let mut resampler = Resampler::new(spec.sample_rate)?;
    let mut sound = resampler.push(&mono)?;
    sound.extend(resampler.finish()?);
    Ok(sound)
}

/// Averages interleaved channels. A sample that is no number counts as silence and one beyond full scale as full:
/// files of floating point may hold anything, and the filter's sums must not overflow.
#[must_use]
pub fn mix(interleaved: &[f32], channels: usize) -> Vec<f32> {
    let channels = channels.max(1);
    let clean = |v: &f32| if v.is_nan() { 0.0 } else { v.clamp(-1.0, 1.0) };
    interleaved.chunks_exact(channels).map(|frame| frame.iter().map(clean).sum::<f32>() / channels as f32).collect()
}

/// Loudness of samples: root of the mean square. Units: dB full scale, not below [`SILENCE_DBFS`].
#[must_use]
pub fn dbfs(samples: &[f32]) -> f64 {
    if samples.is_empty() {
        return SILENCE_DBFS;
    }
    let mean_square = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
    (10.0 * mean_square.log10()).max(SILENCE_DBFS)
}

/// Changes a stream of one channel to [`RATE`], piece by piece.
pub struct Resampler {
    /// `None` where the rate is right already.
    inner: Option<Fft<f32>>,
    /// Samples that do not fill a chunk yet.
    waiting: Vec<f32>,
    /// Samples at the start that are only the filter's delay.
    to_skip: usize,
    taken: usize,
    given: usize,
    rate: u32,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").field("rate", &self.rate).field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Resampler {
    /// From `rate` samples a second.
    ///
    /// # Errors
    /// [`Error::Recogniser`] for a rate that no filter can be made for.
    pub fn new(rate: u32) -> Result<Self> {
        let inner = if rate == RATE {
            None
        } else {
            Some(Fft::new(rate as usize, RATE as usize, CHUNK, 1, FixedSync::Input).map_err(|e| failed(&e))?)
        };
        let to_skip = inner.as_ref().map_or(0, Fft::output_delay);
        Ok(Self { inner, waiting: Vec::new(), to_skip, taken: 0, given: 0, rate })
    }

    /// Takes samples and gives those that are ready.
    ///
    /// # Errors
    /// [`Error::Recogniser`].
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>> {
        self.taken += samples.len();
        let Some(inner) = &mut self.inner else {
            self.given += samples.len();
            return Ok(samples.to_vec());
        };
        self.waiting.extend_from_slice(samples);
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(chunk) = self.waiting.get(at..at + inner.input_frames_next()) {
            at += chunk.len();
            let input = SequentialSlice::new(chunk, 1, chunk.len()).map_err(|e| failed(&e))?;
            out.extend(inner.process(&input, None).map_err(|e| failed(&e))?.take_data());
        }
        self.waiting.drain(..at);
        Ok(self.keep(out))
    }

    /// Gives the rest; what was taken and what was given are then equally long.
    ///
    /// # Errors
    /// [`Error::Recogniser`].
    pub fn finish(&mut self) -> Result<Vec<f32>> {
        let due = (self.taken as u64 * u64::from(RATE)).div_ceil(u64::from(self.rate.max(1)));
        let due = usize::try_from(due).unwrap_or(usize::MAX);
        let mut all = Vec::new();
        while self.inner.is_some() && self.given < due {
            let rest = std::mem::take(&mut self.waiting);
            let Some(inner) = &mut self.inner else { break };
            let input = SequentialSlice::new(&rest, 1, rest.len()).map_err(|e| failed(&e))?;
            // A short piece is filled up with silence, which pushes the filter's delay out.
            let part = inner.process(&input, Some(&Indexing::new().partial_len(rest.len()))).map_err(|e| failed(&e))?;
            let data = part.take_data();
            if data.is_empty() {
                break;
            }
            all.extend(self.keep(data));
        }
        let over = self.given.saturating_sub(due);
        all.truncate(all.len().saturating_sub(over));
        self.given -= over.min(self.given);
        Ok(all)
    }

    fn keep(&mut self, mut out: Vec<f32>) -> Vec<f32> {
        let skip = self.to_skip.min(out.len());
        self.to_skip -= skip;
        out.drain(..skip);
        self.given += out.len();
        out
    }
}

fn failed(e: &dyn std::fmt::Display) -> Error {
    Error::Recogniser { why: format!("changing the sample rate: {e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn tone(hz: f32, rate: u32, seconds: f32) -> Vec<f32> {
        (0..(rate as f32 * seconds) as usize).map(|n| 0.5 * (TAU * hz * n as f32 / rate as f32).sin()).collect()
    }

    /// What is not the tone, and how far the tone is displaced: the filter's delay is a whole number of samples,
    /// so up to one sample may be left. The ends are left out, where a filter has nothing to look at.
    fn difference(got: &[f32], hz: f32) -> (f64, f64) {
        let inside = &got[800..got.len() - 800];
        let phase = |n: usize| std::f64::consts::TAU * f64::from(hz) * (n + 800) as f64 / f64::from(RATE);
        let sum = |f: fn(f64) -> f64| {
            inside.iter().enumerate().map(|(n, v)| f64::from(*v) * f(phase(n))).sum::<f64>() * 2.0 / inside.len() as f64
        };
        let (sine, cosine) = (sum(f64::sin), sum(f64::cos));
        let rest = |(n, v): (usize, &f32)| (f64::from(*v) - sine * phase(n).sin() - cosine * phase(n).cos()).abs();
        let displaced = cosine.atan2(sine).abs() / std::f64::consts::TAU / f64::from(hz) * f64::from(RATE);
        let rest = inside.iter().enumerate().map(rest).fold(0.0, f64::max);
        (rest + (sine.hypot(cosine) - 0.5).abs(), displaced)
    }

    #[test]
    fn a_tone_keeps_pitch_level_and_place() {
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            let mut resampler = Resampler::new(rate).unwrap();
            let mut got = Vec::new();
            // In uneven pieces, as a microphone gives them.
            for piece in tone(440.0, rate, 1.0).chunks(777) {
                got.extend(resampler.push(piece).unwrap());
            }
            got.extend(resampler.finish().unwrap());
            assert!(got.len().abs_diff(16_000) <= 2, "{rate}: {} samples", got.len());
            let (rest, displaced) = difference(&got, 440.0);
            assert!(rest < 5e-3 && displaced <= 1.0, "{rate}: {rest} {displaced}");
        }
    }

    #[test]
    fn what_the_recogniser_cannot_hear_is_filtered_out() {
        let mut resampler = Resampler::new(48_000).unwrap();
        let mut got = resampler.push(&tone(12_000.0, 48_000, 1.0)).unwrap();
        got.extend(resampler.finish().unwrap());
        // It must not come back mirrored at 4 kHz. The ends are left out: a tone cut off is a click.
        assert!(dbfs(&got[2000..14_000]) < -70.0, "{}", dbfs(&got[2000..14_000]));
    }

    #[test]
    fn every_kind_of_wav() {
        let folder = tempfile::tempdir().unwrap();
        for (bits, format, channels, rate) in [
            (8, SampleFormat::Int, 1, 16_000),
            (16, SampleFormat::Int, 2, 44_100),
            (24, SampleFormat::Int, 1, 48_000),
            (32, SampleFormat::Int, 2, 8_000),
            (32, SampleFormat::Float, 6, 32_000),
        ] {
            let path = folder.path().join("sound.wav");
            let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            let full = f64::from(2).powi(i32::from(bits) - 1);
            for sample in tone(300.0, rate, 1.0) {
                for _ in 0..channels {
                    match format {
                        SampleFormat::Float => writer.write_sample(sample).unwrap(),
                        SampleFormat::Int => writer.write_sample((f64::from(sample) * full) as i32).unwrap(),
                    }
                }
            }
            writer.finalize().unwrap();
            let got = read_wav(&path).unwrap();
            let (rest, displaced) = difference(&got, 300.0);
            let allowed = if bits == 8 { 2e-2 } else { 5e-3 };
            assert!(rest < allowed && displaced <= 1.0, "{bits} bit {channels} channels {rate}: {rest} {displaced}");
        }
    }

    #[test]
    fn what_is_no_wav_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        for bytes in [&b""[..], b"RIFF", b"not a sound at all, just text"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(read_wav(&path), Err(Error::SoundUnreadable { .. })));
        }
        assert!(matches!(read_wav(&folder.path().join("absent.wav")), Err(Error::SoundUnreadable { .. })));
    }

    #[test]
    fn numbers_that_are_no_sound_do_no_harm() {
        let odd = [f32::MAX, f32::NAN, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, 1e-40];
        let mut resampler = Resampler::new(48_000).unwrap();
        let mut got = resampler.push(&mix(&odd.repeat(2000), 2)).unwrap();
        got.extend(resampler.finish().unwrap());
        assert_eq!(got.len(), 2000);
        assert!(got.iter().all(|v| v.abs() <= 2.0));
    }

    #[test]
    fn loudness() {
        for (samples, expected) in [(&[][..], -96.0), (&[0.0; 8], -96.0), (&[1.0; 8], 0.0), (&[0.1; 8], -20.0)] {
            assert!((dbfs(samples) - expected).abs() < 0.01);
        }
    }
}
