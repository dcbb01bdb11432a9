//! `OpenJPEG`, which decodes JPEG 2000 and HTJ2K.
//!
//! The safe wrapper at hand hands out samples without looking whether there are any, and hides what went wrong.

use openjpeg_sys as opj;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{self, NonNull};
use std::slice;

/// Bytes the library reads at a time.
const CHUNK: usize = 64 << 10;

/// One component of a decoded picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Columns and rows.
    pub size: [u32; 2],
    /// Samples, row after row from the top, sign-extended where the component is signed.
    pub samples: &'a [i32],
}

/// Decodes a codestream (no JP2 file) and shows its components, in their order, colour transform undone.
///
/// # Errors
/// What the library says. It is strict: data that ends early is no picture.
pub fn decode_jpeg_2000<T>(codestream: &[u8], mut show: impl FnMut(&[Plane<'_>]) -> T) -> Result<T, String> {
    let mut said = String::new();
    let mut input = Input { bytes: codestream, at: 0 };
    let image = image(&mut input, &mut said).ok_or_else(|| if said.is_empty() { "the codec failed".to_owned() } else { said })?;
    let planes = planes(&image).ok_or("a component has no samples")?;
    Ok(show(&planes))
}

/// Where the library has got to in the codestream.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

#[expect(unsafe_code, reason = "called by a C library")]
extern "C" fn read(to: *mut c_void, length: usize, input: *mut c_void) -> usize {
    // SAFETY: the pointer is the `Input` given with this function, which nobody else uses meanwhile.
    let input = unsafe { &mut *input.cast::<Input<'_>>() };
    let rest = input.bytes.get(input.at..).unwrap_or_default();
    let n = rest.len().min(length);
    if n == 0 {
        return usize::MAX;
    }
    // SAFETY: the library gives room for `length` bytes, at least `n`; the two are not the same memory.
    unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), to.cast::<u8>(), n) };
    input.at += n;
    n
}

#[expect(unsafe_code, reason = "called by a C library")]
extern "C" fn skip(by: i64, input: *mut c_void) -> i64 {
    // SAFETY: as in `read`.
    let input = unsafe { &mut *input.cast::<Input<'_>>() };
    let to = usize::try_from(by).ok().and_then(|by| input.at.checked_add(by)).filter(|&to| to <= input.bytes.len());
    match to {
        Some(to) => {
            input.at = to;
            by
        }
        None => -1,
    }
}

#[expect(unsafe_code, reason = "called by a C library")]
extern "C" fn seek(to: i64, input: *mut c_void) -> opj::OPJ_BOOL {
    // SAFETY: as in `read`.
    let input = unsafe { &mut *input.cast::<Input<'_>>() };
    match usize::try_from(to).ok().filter(|&to| to <= input.bytes.len()) {
        Some(to) => {
            input.at = to;
            1
        }
        None => 0,
    }
}

/// Keeps the first error: what follows it only says that everything above failed too.
#[expect(unsafe_code, reason = "called by a C library")]
extern "C" fn hear(message: *const c_char, said: *mut c_void) {
    // SAFETY: the pointer is the `String` given with this function, the message a text that ends in a zero.
    let (said, message) = unsafe { (&mut *said.cast::<String>(), CStr::from_ptr(message)) };
    if said.is_empty() {
        message.to_string_lossy().trim().clone_into(said);
    }
}

struct Stream(NonNull<opj::opj_stream_t>);

impl Drop for Stream {
    #[expect(unsafe_code, reason = "a C library")]
    fn drop(&mut self) {
        // SAFETY: came from `opj_stream_create`, destroyed only here.
        unsafe { opj::opj_stream_destroy(self.0.as_ptr()) }
    }
}

struct Codec(NonNull<opj::opj_codec_t>);

impl Drop for Codec {
    #[expect(unsafe_code, reason = "a C library")]
    fn drop(&mut self) {
        // SAFETY: came from `opj_create_decompress`, destroyed only here.
        unsafe { opj::opj_destroy_codec(self.0.as_ptr()) }
    }
}

struct Image(NonNull<opj::opj_image_t>);

impl Drop for Image {
    #[expect(unsafe_code, reason = "a C library")]
    fn drop(&mut self) {
        // SAFETY: came from `opj_read_header`, destroyed only here.
        unsafe { opj::opj_image_destroy(self.0.as_ptr()) }
    }
}

/// Reads and decodes.
#[expect(unsafe_code, reason = "a C library")]
fn image(input: &mut Input<'_>, said: &mut String) -> Option<Image> {
    let length = input.bytes.len() as u64;
    // SAFETY: stream and codec are used only while they live, which is this function; `input` and `said` outlive them and are
    // not used here while the library may call the functions that use them. The image is none or the library's.
    unsafe {
        let stream = Stream(NonNull::new(opj::opj_stream_create(CHUNK, 1))?);
        let from = stream.0.as_ptr();
        opj::opj_stream_set_user_data(from, ptr::from_mut(input).cast(), None);
        opj::opj_stream_set_user_data_length(from, length);
        opj::opj_stream_set_read_function(from, Some(read));
        opj::opj_stream_set_skip_function(from, Some(skip));
        opj::opj_stream_set_seek_function(from, Some(seek));
        let codec = Codec(NonNull::new(opj::opj_create_decompress(opj::CODEC_FORMAT::OPJ_CODEC_J2K))?);
        let by = codec.0.as_ptr();
        opj::opj_set_error_handler(by, Some(hear), ptr::from_mut(said).cast());
        let mut parameters = std::mem::zeroed();
        opj::opj_set_default_decoder_parameters(&raw mut parameters);
        if opj::opj_setup_decoder(by, &raw mut parameters) == 0 || opj::opj_decoder_set_strict_mode(by, 1) == 0 {
            return None;
        }
        let mut image = ptr::null_mut();
        let is_read = opj::opj_read_header(from, by, &raw mut image) != 0;
        let image = Image(NonNull::new(image)?);
        (is_read && opj::opj_decode(by, from, image.0.as_ptr()) != 0).then_some(image)
    }
}

/// The components of a decoded image; none where one has no samples.
#[expect(unsafe_code, reason = "a C library")]
fn planes(image: &Image) -> Option<Vec<Plane<'_>>> {
    // SAFETY: a decoded image has `numcomps` components; one with data has a sample for each of its columns and rows. All stay
    // where they are until the image is destroyed, which the lifetime of the planes forbids.
    unsafe {
        let image = image.0.as_ref();
        let components = NonNull::new(image.comps)?;
        let components = slice::from_raw_parts(components.as_ptr(), image.numcomps as usize);
        let plane = |component: &opj::opj_image_comp_t| {
            let n = (component.w as usize).checked_mul(component.h as usize)?;
            let samples = slice::from_raw_parts(NonNull::new(component.data)?.as_ptr(), n);
            Some(Plane { size: [component.w, component.h], samples })
        };
        components.iter().map(plane).collect()
    }
}
