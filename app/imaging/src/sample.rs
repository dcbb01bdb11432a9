//! The stored sample types, as the makers of pictures see them.

/// A stored sample type.
pub(crate) trait Sample: Copy + Send + Sync + PartialOrd {
    /// No sample lies above it.
    const HIGHEST: Self;
    /// No sample lies below it.
    const LOWEST: Self;

    /// The stored value; exact for every integer type.
    fn float(self) -> f32;
}

impl Sample for i16 {
    const HIGHEST: Self = Self::MAX;
    const LOWEST: Self = Self::MIN;

    #[inline]
    fn float(self) -> f32 {
        f32::from(self)
    }
}
impl Sample for u16 {
    const HIGHEST: Self = Self::MAX;
    const LOWEST: Self = Self::MIN;

    #[inline]
    fn float(self) -> f32 {
        f32::from(self)
    }
}
impl Sample for u8 {
    const HIGHEST: Self = Self::MAX;
    const LOWEST: Self = Self::MIN;

    #[inline]
    fn float(self) -> f32 {
        f32::from(self)
    }
}
impl Sample for f32 {
    const HIGHEST: Self = Self::INFINITY;
    const LOWEST: Self = Self::NEG_INFINITY;

    #[inline]
    fn float(self) -> f32 {
        self
    }
}
