//! The stored sample types, as the makers of pictures see them.

/// A stored sample type.
pub(crate) trait Sample: bytemuck::Pod + Send + Sync + PartialOrd {
    /// No sample lies above it.
    const HIGHEST: Self;
    /// No sample lies below it.
    const LOWEST: Self;

    /// For integers of 16 bits whether they have a sign.
    const IS_SIGNED_16: Option<bool> = None;

    /// The stored value; exact for every integer type.
    fn float(self) -> f32;

    /// The stored values of two rows side by side.
    #[inline(always)]
    fn eight(rows: [[Self; 4]; 2]) -> [f32; 8] {
        let [[a, b, c, d], [e, f, g, h]] = rows;
        let mut out = [0.0; 8];
        for (out, s) in out.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *out = s.float();
        }
        out
    }

    /// The stored values of pairs of neighbours: all first ones, all second ones.
    #[inline(always)]
    fn apart<const N: usize>(pairs: [[Self; 2]; N]) -> [[f32; N]; 2] {
        let mut out = [[0.0; N]; 2];
        for (n, [first, second]) in pairs.into_iter().enumerate() {
            (out[0][n], out[1][n]) = (first.float(), second.float());
        }
        out
    }
}

impl Sample for i16 {
    const IS_SIGNED_16: Option<bool> = Some(true);
    const HIGHEST: Self = Self::MAX;
    const LOWEST: Self = Self::MIN;

    #[inline]
    fn float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn apart<const N: usize>(pairs: [[Self; 2]; N]) -> [[f32; N]; 2] {
        let mut out = [[0.0; N]; 2];
        for (n, pair) in pairs.into_iter().enumerate() {
            // A pair is one number of 32 bits for the vector unit.
            let both: i32 = bytemuck::cast(pair.map(Self::to_le));
            (out[0][n], out[1][n]) = (((both << 16) >> 16) as f32, (both >> 16) as f32);
        }
        out
    }
}
impl Sample for u16 {
    const IS_SIGNED_16: Option<bool> = Some(false);
    const HIGHEST: Self = Self::MAX;
    const LOWEST: Self = Self::MIN;

    #[inline]
    fn float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn apart<const N: usize>(pairs: [[Self; 2]; N]) -> [[f32; N]; 2] {
        let mut out = [[0.0; N]; 2];
        for (n, pair) in pairs.into_iter().enumerate() {
            // A pair is one number of 32 bits for the vector unit.
            let both: i32 = bytemuck::cast(pair.map(Self::to_le));
            (out[0][n], out[1][n]) = ((both & 0xffff) as f32, ((both >> 16) & 0xffff) as f32);
        }
        out
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
