//! A tiny speech model of random weights: it recognises nothing, but goes through the same file format, loader
//! and arithmetic as a real one.
//!
//! Layout as whisper.cpp's `convert-pt-to-ggml.py` writes it, little endian.

/// What the file should say of itself.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// 1 for weights of 16 bits, 0 for 32.
    pub ftype: i32,
    /// 51,864 for English, 51,865 for several languages; anything else is a foreign model.
    pub n_vocab: i32,
    /// Length of the window. Units: steps of 20 ms.
    pub n_audio_ctx: i32,
    /// Says `w1 w2 w3 w4` to any sound; else it mostly says nothing.
    pub is_talkative: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self { ftype: 1, n_vocab: 51_865, n_audio_ctx: 256, is_talkative: false }
    }
}

const STATE: i32 = 64;
const HEADS: i32 = 2;
const AUDIO_LAYERS: i32 = 4;
const TEXT_LAYERS: i32 = 4;
const TEXT_CTX: i32 = 64;
const N_MELS: i32 = 80;
const N_FFT: i32 = 201;
/// Token that ends a text, in models of several languages.
const END_OF_TEXT: i32 = 50_257;

/// The bytes of a model file, about 9 MB.
#[must_use]
pub fn tiny_model(spec: Spec) -> Vec<u8> {
    let mut file = Writer { out: Vec::new(), random: 0x2545_F491_4F6C_DD1D, is_f16: spec.ftype == 1 };
    file.out.extend_from_slice(&0x6767_6d6c_u32.to_le_bytes());
    let sizes = [spec.n_vocab, spec.n_audio_ctx, STATE, HEADS, AUDIO_LAYERS, TEXT_CTX, STATE, HEADS, TEXT_LAYERS, N_MELS, spec.ftype];
    file.numbers(&sizes);
    file.filters();
    file.words();
    file.encoder(spec.n_audio_ctx);
    file.decoder(spec.n_vocab, spec.is_talkative);
    file.out
}

struct Writer {
    out: Vec<u8>,
    random: u64,
    is_f16: bool,
}

impl Writer {
    fn numbers(&mut self, values: &[i32]) {
        for value in values {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// Triangles over the spectrum: crude, but every band hears something.
    fn filters(&mut self) {
        self.numbers(&[N_MELS, N_FFT]);
        for band in 0..N_MELS {
            let centre = (band + 1) as f32 * N_FFT as f32 / (N_MELS + 1) as f32;
            for bin in 0..N_FFT {
                let weight = (1.0 - (bin as f32 - centre).abs() / 4.0).max(0.0) * 0.02;
                self.out.extend_from_slice(&weight.to_le_bytes());
            }
        }
    }

    /// Fewer words than numbers, as whisper.cpp allows; the space alone must be among them.
    fn words(&mut self) {
        let words: Vec<String> = [" ".to_owned()].into_iter().chain((0..299).map(|n| format!(" w{n}"))).collect();
        self.numbers(&[300]);
        for word in words {
            self.numbers(&[i32::try_from(word.len()).unwrap_or_default()]);
            self.out.extend_from_slice(word.as_bytes());
        }
    }

    fn encoder(&mut self, n_audio_ctx: i32) {
        self.tensor("encoder.positional_embedding", &[STATE, n_audio_ctx], Kind::Full);
        self.tensor("encoder.conv1.weight", &[3, N_MELS, STATE], Kind::Half);
        self.tensor("encoder.conv1.bias", &[1, STATE], Kind::Full);
        self.tensor("encoder.conv2.weight", &[3, STATE, STATE], Kind::Half);
        self.tensor("encoder.conv2.bias", &[1, STATE], Kind::Full);
        self.norm("encoder.ln_post");
        for layer in 0..AUDIO_LAYERS {
            self.block(&format!("encoder.blocks.{layer}"), &["attn"]);
        }
    }

    fn decoder(&mut self, n_vocab: i32, is_talkative: bool) {
        if is_talkative {
            self.speech(n_vocab);
        } else {
            self.tensor("decoder.positional_embedding", &[STATE, TEXT_CTX], Kind::Full);
            self.tensor("decoder.token_embedding.weight", &[STATE, n_vocab], Kind::Half);
        }
        self.norm("decoder.ln");
        for layer in 0..TEXT_LAYERS {
            self.block(&format!("decoder.blocks.{layer}"), &["attn", "cross_attn"]);
        }
    }

    /// Embeddings that outweigh all else: each place in the text asks for one word, and the end after them. The
    /// prompt takes the first three places.
    fn speech(&mut self, n_vocab: i32) {
        let embedding = |token: i32| {
            let mut row = Self { out: Vec::new(), random: 0x9E37_79B9_7F4A_7C15 ^ u64::from(token.unsigned_abs()), is_f16: true };
            // The first numbers after a seed are alike for seeds that are alike.
            for _ in 0..8 {
                row.next();
            }
            std::array::from_fn::<f32, { STATE as usize }, _>(|_| row.next())
        };
        self.head("decoder.positional_embedding", &[STATE, TEXT_CTX], false);
        for place in 0..TEXT_CTX {
            let wanted = if (2..6).contains(&place) { place } else { END_OF_TEXT };
            for value in embedding(wanted) {
                self.out.extend_from_slice(&(value * 10.0).to_le_bytes());
            }
        }
        self.head("decoder.token_embedding.weight", &[STATE, n_vocab], self.is_f16);
        for token in 0..n_vocab {
            for value in embedding(token) {
                if self.is_f16 {
                    self.out.extend_from_slice(&half(value).to_le_bytes());
                } else {
                    self.out.extend_from_slice(&value.to_le_bytes());
                }
            }
        }
    }

    fn head(&mut self, name: &str, sizes: &[i32], is_half: bool) {
        let [n_dims, name_len] = [sizes.len(), name.len()].map(|n| i32::try_from(n).unwrap_or_default());
        self.numbers(&[n_dims, name_len, i32::from(is_half)]);
        self.numbers(sizes);
        self.out.extend_from_slice(name.as_bytes());
    }

    fn block(&mut self, name: &str, attentions: &[&str]) {
        self.norm(&format!("{name}.mlp_ln"));
        self.linear(&format!("{name}.mlp.0"), STATE, 4 * STATE, true);
        self.linear(&format!("{name}.mlp.2"), 4 * STATE, STATE, true);
        for attention in attentions {
            self.norm(&format!("{name}.{attention}_ln"));
            for (part, has_bias) in [("query", true), ("key", false), ("value", true), ("out", true)] {
                self.linear(&format!("{name}.{attention}.{part}"), STATE, STATE, has_bias);
            }
        }
    }

    fn norm(&mut self, name: &str) {
        self.tensor(&format!("{name}.weight"), &[STATE], Kind::One);
        self.tensor(&format!("{name}.bias"), &[STATE], Kind::Full);
    }

    fn linear(&mut self, name: &str, from: i32, to: i32, has_bias: bool) {
        self.tensor(&format!("{name}.weight"), &[from, to], Kind::Half);
        if has_bias {
            self.tensor(&format!("{name}.bias"), &[to], Kind::Full);
        }
    }

    fn tensor(&mut self, name: &str, sizes: &[i32], kind: Kind) {
        let is_half = matches!(kind, Kind::Half) && self.is_f16;
        self.head(name, sizes, is_half);
        for _ in 0..sizes.iter().product::<i32>() {
            let value = if matches!(kind, Kind::One) { 1.0 } else { self.next() * 0.1 };
            if is_half {
                self.out.extend_from_slice(&half(value).to_le_bytes());
            } else {
                self.out.extend_from_slice(&value.to_le_bytes());
            }
        }
    }

    /// A number from -1 to 1, the same ones on every run. Source: G. Marsaglia, "Xorshift RNGs", 2003.
    fn next(&mut self) -> f32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

#[derive(Clone, Copy)]
enum Kind {
    /// Random, 16 bits where the file's type says so.
    Half,
    /// Random, 32 bits always.
    Full,
    /// Ones, 32 bits.
    One,
}

/// A number between -1 and 1 in IEEE 754 binary16, cut rather than rounded; tiny ones become zero.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let exponent = ((bits >> 23) & 0xff).wrapping_sub(127).wrapping_add(15);
    let sign = (bits >> 16) & 0x8000;
    if !(1..31).contains(&exponent) {
        return sign as u16;
    }
    (sign | (exponent << 10) | ((bits >> 13) & 0x3ff)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (value, expected) in [(0.0, 0), (1.0, 0x3c00), (-0.5, 0xb800), (0.1, 0x2e66), (1e-9, 0)] {
            assert_eq!(half(value), expected, "{value}");
        }
    }
}
