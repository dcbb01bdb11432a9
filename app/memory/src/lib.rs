//! Memory for the samples of volumes.
//!
//! A volume of 600 slices lies in 77,000 pages of 4 KiB, far more than a processor keeps the places of: an oblique
//! picture then waits longer for places than for samples. In pages of 2 MiB it lies in 150.

#![deny(missing_docs)]

/// Zeros, in large pages where the system has them (Linux with transparent huge pages for those who ask).
///
/// The system gives memory when it is first written, so this costs nothing yet. `T::default()` has to be zero for that.
#[must_use]
pub fn zeroed<T: Copy + Default>(n: usize) -> Vec<T> {
    let samples = vec![T::default(); n];
    ask_for_large_pages(&samples);
    samples
}

#[cfg(target_os = "linux")]
fn ask_for_large_pages<T>(samples: &[T]) {
    const PAGE: usize = 4096;
    let bytes = samples.as_ptr_range();
    let (from, to) = ((bytes.start as usize).next_multiple_of(PAGE), bytes.end as usize / PAGE * PAGE);
    if to <= from {
        return;
    }
    let start = bytes.start.cast::<u8>().wrapping_add(from - bytes.start as usize);
    #[expect(unsafe_code, reason = "only the C library asks the kernel; a picture takes a fifth longer without")]
    // SAFETY: the range lies within one allocation, which is ours; the advice changes how memory is given, not what is in
    // it. A kernel that does not know it refuses, which changes nothing.
    unsafe {
        libc::madvise(start.cast_mut().cast(), to - from, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_: &[T]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zero_and_ours_to_write() {
        for n in [0, 1, 5000, 3 << 20] {
            let mut samples = zeroed::<i16>(n);
            assert!(samples.len() == n && samples.iter().all(|s| *s == 0));
            samples.fill(7);
            assert!(samples.iter().all(|s| *s == 7));
        }
    }
}
