//! `libjpeg-turbo`, which decodes the processes of JPEG.
//!
//! The safe wrappers at hand decode 8 bits only.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use turbojpeg_sys as tj;

// The bindings' own declarations take a length as `unsigned long`, which on Windows is not the library's `size_t`.
#[expect(unsafe_code, reason = "a C library")]
unsafe extern "C" {
    fn tj3DecompressHeader(handle: *mut c_void, stream: *const u8, length: usize) -> c_int;
    fn tj3Decompress8(handle: *mut c_void, stream: *const u8, length: usize, to: *mut u8, pitch: c_int, format: c_int) -> c_int;
    fn tj3Decompress12(handle: *mut c_void, stream: *const u8, length: usize, to: *mut i16, pitch: c_int, format: c_int) -> c_int;
    fn tj3Decompress16(handle: *mut c_void, stream: *const u8, length: usize, to: *mut u16, pitch: c_int, format: c_int) -> c_int;
}

/// Most scans of one progressive picture: more are an attack on the time.
const MAX_SCANS: c_int = 500;

/// Samples of a picture, interleaved by pixel, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JpegSamples {
    /// Up to 8 bits.
    Bytes(Vec<u8>),
    /// 9 to 16 bits.
    Words(Vec<u16>),
}

/// What the picture must be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// 1, or 3 that are interleaved as they are.
    pub components: usize,
    /// Bits of a sample: 8 or 12, or 2 to 16 of a lossless process.
    pub precision: u16,
}

/// A decompressor of the library.
struct Handle(NonNull<c_void>);

impl Drop for Handle {
    #[expect(unsafe_code, reason = "a C library")]
    fn drop(&mut self) {
        // SAFETY: the handle came from `tj3Init` and is destroyed only here.
        unsafe { tj::tj3Destroy(self.0.as_ptr()) }
    }
}

impl Handle {
    #[expect(unsafe_code, reason = "a C library")]
    fn new() -> Option<Self> {
        // SAFETY: takes no pointer.
        NonNull::new(unsafe { tj::tj3Init(tj::TJINIT_TJINIT_DECOMPRESS as c_int) }).map(Self)
    }

    #[expect(unsafe_code, reason = "a C library")]
    fn set(&self, parameter: tj::TJPARAM, value: c_int) -> Result<(), String> {
        // SAFETY: the handle lives.
        if unsafe { tj::tj3Set(self.0.as_ptr(), parameter as c_int, value) } == 0 { Ok(()) } else { Err(self.what()) }
    }

    #[expect(unsafe_code, reason = "a C library")]
    fn get(&self, parameter: tj::TJPARAM) -> c_int {
        // SAFETY: the handle lives.
        unsafe { tj::tj3Get(self.0.as_ptr(), parameter as c_int) }
    }

    /// What went wrong last.
    #[expect(unsafe_code, reason = "a C library")]
    fn what(&self) -> String {
        // SAFETY: the handle lives, and so does its message, which ends in a zero, until the next call.
        unsafe { CStr::from_ptr(tj::tj3GetErrorStr(self.0.as_ptr())) }.to_string_lossy().into_owned()
    }
}

/// Decodes a picture; the components come out as they are coded, interleaved by pixel.
///
/// # Errors
/// What the library says. A warning of it counts as an error: data that ends early is no picture.
pub fn decode_jpeg(stream: &[u8], wanted: Wanted) -> Result<JpegSamples, String> {
    let handle = Handle::new().ok_or("no decompressor")?;
    handle.set(tj::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
    handle.set(tj::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS)?;
    read_header(&handle, stream)?;
    let is = [tj::TJPARAM_TJPARAM_JPEGWIDTH, tj::TJPARAM_TJPARAM_JPEGHEIGHT, tj::TJPARAM_TJPARAM_PRECISION].map(|p| handle.get(p));
    let Wanted { columns, rows, components, precision } = wanted;
    if is.map(usize::try_from) != [Ok(columns), Ok(rows), Ok(usize::from(precision))] {
        return Err("the picture has another size".into());
    }
    let n = columns.checked_mul(rows).and_then(|n| n.checked_mul(components)).ok_or("the picture is too large")?;
    samples(&handle, stream, n, components, precision)
}

#[expect(unsafe_code, reason = "a C library")]
fn read_header(handle: &Handle, stream: &[u8]) -> Result<(), String> {
    // SAFETY: pointer and length are those of `stream`, which is only read.
    let code = unsafe { tj3DecompressHeader(handle.0.as_ptr(), stream.as_ptr(), stream.len()) };
    if code == 0 { Ok(()) } else { Err(handle.what()) }
}

/// `n` is the number of samples of the picture that `read_header` has found in the same stream.
#[expect(unsafe_code, reason = "a C library")]
fn samples(handle: &Handle, stream: &[u8], n: usize, components: usize, precision: u16) -> Result<JpegSamples, String> {
    let format = match components {
        1 => tj::TJPF_TJPF_GRAY,
        3 => tj::TJPF_TJPF_RGB,
        _ => return Err(format!("{components} components")),
    };
    let (handle_at, from, length) = (handle.0.as_ptr(), stream.as_ptr(), stream.len());
    let done = |code: c_int| if code == 0 { Ok(()) } else { Err(handle.what()) };
    if precision <= 8 {
        let mut out = vec![0_u8; n];
        // SAFETY: `from` and `length` are those of `stream`. A pitch of 0 means rows without a gap, so that columns x rows x
        // components samples are written, which is the length of `out`; the library reads the size from the same stream again.
        done(unsafe { tj3Decompress8(handle_at, from, length, out.as_mut_ptr(), 0, format) })?;
        return Ok(JpegSamples::Bytes(out));
    }
    let mut out = vec![0_u16; n];
    // SAFETY: as above. Samples of 12 bits are written as `short`, never below zero, which has the size of `u16`.
    done(unsafe {
        if precision <= 12 {
            tj3Decompress12(handle_at, from, length, out.as_mut_ptr().cast(), 0, format)
        } else {
            tj3Decompress16(handle_at, from, length, out.as_mut_ptr(), 0, format)
        }
    })?;
    Ok(JpegSamples::Words(out))
}
