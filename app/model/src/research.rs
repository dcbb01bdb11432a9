//! Volume files of research, known by their names: NIfTI, NRRD, MetaImage. They name no patient, so they are
//! looked at and never enter the record.

use std::path::Path;

/// A format of research.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResearchFormat {
    /// NIfTI-1 and NIfTI-2: `.nii`, `.nii.gz`, and the pair `.hdr` and `.img`.
    Nifti,
    /// NRRD: `.nrrd`, and the header `.nhdr` beside its data.
    Nrrd,
    /// MetaImage: `.mha`, and the header `.mhd` beside its data.
    MetaImage,
}

impl ResearchFormat {
    /// The format that a file's name says, in capitals or not.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let (stem, ending) = plain.rsplit_once('.')?;
        match ending {
            "nii" | "hdr" | "img" => Some(Self::Nifti),
            "nrrd" | "nhdr" if plain == name => Some(Self::Nrrd),
            "mha" | "mhd" if plain == name => Some(Self::MetaImage),
            _ => None,
        }
        .filter(|_| !stem.is_empty())
    }

    /// Its name, the same in all languages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nifti => "NIfTI",
            Self::Nrrd => "NRRD",
            Self::MetaImage => "MetaImage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name() {
        let of = |name: &str| ResearchFormat::of(Path::new(name));
        for name in ["a.nii", "a.NII.GZ", "x/b.hdr", "b.img", "b.img.gz"] {
            assert_eq!(of(name), Some(ResearchFormat::Nifti), "{name}");
        }
        assert_eq!((of("a.seg.nrrd"), of("a.nhdr")), (Some(ResearchFormat::Nrrd), Some(ResearchFormat::Nrrd)));
        assert_eq!((of("a.mha"), of("a.mhd")), (Some(ResearchFormat::MetaImage), Some(ResearchFormat::MetaImage)));
        for name in ["a.dcm", "nii", ".nii", "a.gz", "a.nrrd.gz", "s1", "1.2.3"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
