//! Series of the open study that were in view before, ready to be shown again without reading a file.

use mj_model::SeriesUid;

/// Most memory they may take: several CTs, on a machine that has 8 GiB in all. Units: bytes.
const MOST: usize = 2 << 30;

struct Kept<T> {
    series: SeriesUid,
    loaded: T,
    /// What it takes in memory. Units: bytes.
    bytes: usize,
}

/// What was loaded, the series used last at the end.
pub(super) struct Shelf<T> {
    kept: Vec<Kept<T>>,
    most: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), most: MOST }
    }
}

impl<T: Clone> Shelf<T> {
    /// Keeps a series. Those used longest ago leave when there is not room for all; the newest always stays.
    pub(super) fn put(&mut self, series: SeriesUid, loaded: T, bytes: usize) {
        self.kept.retain(|kept| kept.series != series);
        self.kept.push(Kept { series, loaded, bytes });
        while self.kept.len() > 1 && self.kept.iter().map(|kept| kept.bytes).sum::<usize>() > self.most {
            self.kept.remove(0);
        }
    }

    /// A series, if it is still here; it counts as used now.
    pub(super) fn get(&mut self, series: &SeriesUid) -> Option<T> {
        let at = self.kept.iter().position(|kept| kept.series == *series)?;
        let found = self.kept.remove(at);
        let loaded = found.loaded.clone();
        self.kept.push(found);
        Some(loaded)
    }

    /// Forgets all: another study is opened, or none.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(n: u8) -> SeriesUid {
        SeriesUid::parse(&format!("1.2.{n}")).unwrap()
    }

    #[test]
    fn the_series_used_longest_ago_leaves_first() {
        let mut shelf = Shelf { kept: Vec::new(), most: 3000 };
        for n in 1..=3 {
            shelf.put(series(n), n, 1000);
        }
        assert_eq!(shelf.get(&series(1)), Some(1));
        shelf.put(series(4), 4, 1000);
        assert_eq!(shelf.get(&series(2)), None, "1 was looked at since");
        assert!([1, 3, 4].iter().all(|&n| shelf.get(&series(n)) == Some(n)));
        // Loaded anew, it takes its own place.
        shelf.put(series(4), 40, 1000);
        assert_eq!((shelf.get(&series(4)), shelf.kept.len()), (Some(40), 3));
        shelf.clear();
        assert_eq!(shelf.get(&series(4)), None);
    }

    #[test]
    fn one_that_is_too_large_by_itself_stays_while_it_is_the_newest() {
        let mut shelf = Shelf { kept: Vec::new(), most: 1000 };
        shelf.put(series(1), 1, 4000);
        assert_eq!(shelf.get(&series(1)), Some(1));
        shelf.put(series(2), 2, 4000);
        assert_eq!((shelf.get(&series(1)), shelf.get(&series(2))), (None, Some(2)));
    }
}
