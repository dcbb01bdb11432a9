//! What the values of parametric maps mean: Real World Value Mappings.
//!
//! A map's pixels are read as every image's are (`series`, `pixels`); here is the quantity they measure and its unit.
//! Source: PS3.3 §A.75 (Parametric Map), §A.46 (Real World Value Mapping), §C.7.6.16.2.11 (Real World Value Mapping macro).

use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, LinearMap, Unit};

/// Parametric Map Storage.
pub const PARAMETRIC_MAP: &str = "1.2.840.10008.5.1.4.1.1.30";

/// A mapping from stored values to a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct RealWorldMap {
    /// LUT Label.
    pub label: String,
    /// LUT Explanation, for people.
    pub explanation: String,
    /// What is measured, for example a standardized uptake value; `None` when the object does not say.
    pub quantity: Option<Code>,
    /// Unit of the values.
    pub unit: Unit,
    /// Meaning of the unit, for people.
    pub unit_name: String,
    /// From stored values to the unit.
    pub mapping: Mapping,
    /// First and last stored value that are mapped; `None` for all.
    pub range: Option<[f64; 2]>,
    /// What it holds for.
    pub scope: Scope,
}

/// How values are mapped.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapping {
    /// By slope and intercept; the identity for values that are stored in their unit.
    Linear(LinearMap),
    /// By a table, whose first entry is for the first value of the range.
    Table(Vec<f64>),
}

/// What a mapping holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every frame of the object.
    All,
    /// One frame of the object, from 1.
    Frame(u32),
    /// Images of another series.
    Images(Vec<ImageRef>),
}

impl RealWorldMap {
    /// The value of a stored one, in the unit. `None` for one that is not mapped.
    #[must_use]
    pub fn value(&self, stored: f64) -> Option<f64> {
        if self.range.is_some_and(|[first, last]| !(first..=last).contains(&stored)) {
            return None;
        }
        match &self.mapping {
            Mapping::Linear(map) => Some(map.apply(stored)),
            Mapping::Table(entries) => {
                let at = stored - self.range?[0];
                (at.fract() == 0.0).then(|| entries.get(at as usize).copied()).flatten()
            }
        }
    }
}

/// Reads the mappings of an object, those of all frames first: of a parametric map or another image with them, or of a
/// Real World Value Mapping object, which is about images of other series. Empty when it has none.
///
/// # Errors
/// [`Error::Missing`] for a mapping without a unit or without slope and table; [`Error::BadValue`] for numbers that cannot
/// be.
pub fn read(dataset: &Dataset) -> Result<Vec<RealWorldMap>> {
    let root = dataset.root();
    let is_float = root.has(tags::FLOAT_PIXEL_DATA) || root.has(tags::DOUBLE_FLOAT_PIXEL_DATA);
    let mut out = Vec::new();
    let mut take = |view: &View<'_>, scope: Scope| -> Result<()> {
        for item in view.items(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE) {
            out.push(map(&item, is_float, scope.clone())?);
        }
        Ok(())
    };
    take(&root, Scope::All)?;
    for group in root.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE) {
        take(&group, Scope::All)?;
    }
    for (frame, group) in (1..).zip(root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)) {
        take(&group, Scope::Frame(frame))?;
    }
    for item in root.items(tags::REFERENCED_IMAGE_REAL_WORLD_VALUE_MAPPING_SEQUENCE) {
        take(&item, Scope::Images(item.image_refs(tags::REFERENCED_IMAGE_SEQUENCE)?))?;
    }
    Ok(out)
}

fn map(item: &View<'_>, is_float: bool, scope: Scope) -> Result<RealWorldMap> {
    let unit = item.code(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).ok_or(Error::Missing { keyword: "MeasurementUnitsCodeSequence" })?;
    let range = range(item, is_float)?;
    Ok(RealWorldMap {
        label: item.text(tags::LUT_LABEL),
        explanation: item.text(tags::LUT_EXPLANATION),
        quantity: quantity(item),
        unit: Unit(unit.code),
        unit_name: unit.name_en,
        mapping: mapping(item, range)?,
        range,
        scope,
    })
}

/// The stored values that are mapped. Whole numbers cannot bound values that are none, whatever a file says there: of
/// objects with float pixels only the range in floats counts.
fn range(item: &View<'_>, is_float: bool) -> Result<Option<[f64; 2]>> {
    let bad = Error::BadValue { keyword: "RealWorldValueFirstValueMapped" };
    let pair = |first, last| item.float(first).zip(item.float(last));
    let whole = || pair(tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED).filter(|_| !is_float);
    let floats = pair(tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_LAST_VALUE_MAPPED);
    match floats.or_else(whole) {
        Some((first, last)) if first > last => Err(bad),
        Some((first, last)) => Ok(Some([first, last])),
        None => Ok(None),
    }
}

fn mapping(item: &View<'_>, range: Option<[f64; 2]>) -> Result<Mapping> {
    if let Some(slope) = item.float(tags::REAL_WORLD_VALUE_SLOPE) {
        let intercept = item.float(tags::REAL_WORLD_VALUE_INTERCEPT).ok_or(Error::Missing { keyword: "RealWorldValueIntercept" })?;
        return Ok(Mapping::Linear(LinearMap { slope, intercept }));
    }
    let entries = item.floats(tags::REAL_WORLD_VALUE_LUT_DATA);
    if entries.is_empty() {
        return Err(Error::Missing { keyword: "RealWorldValueSlope" });
    }
    let is_as_long = range.is_some_and(|[first, last]| last - first + 1.0 == entries.len() as f64);
    if !is_as_long || entries.iter().any(|v| !v.is_finite()) {
        return Err(Error::BadValue { keyword: "RealWorldValueLUTData" });
    }
    Ok(Mapping::Table(entries))
}

/// The concept of the item named Quantity, in today's or the older spelling. Source: PS3.3 §C.7.6.16.2.11.
fn quantity(item: &View<'_>) -> Option<Code> {
    let mut items = item.items(tags::QUANTITY_DEFINITION_SEQUENCE);
    let is_quantity = |of: &View<'_>| {
        let name = of.code(tags::CONCEPT_NAME_CODE_SEQUENCE).map(|c| c.code);
        matches!(name.as_deref(), Some("246205007" | "G-C1C6"))
    };
    items.find(is_quantity).and_then(|of| of.code(tags::CONCEPT_CODE_SEQUENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::{Object, code_item};
    use dicom_core::VR;

    fn dataset(relative: &str) -> Option<Dataset> {
        Some(Dataset::from_vec(std::fs::read(mj_testdata::path(relative)?).unwrap()).unwrap())
    }

    #[test]
    fn a_map_of_floats_carries_its_unit() {
        let Some(dataset) = dataset("seg_sr/parametric_map_float.dcm") else { return };
        let [map] = read(&dataset).unwrap().try_into().unwrap();
        assert_eq!((map.explanation.as_str(), map.unit.clone(), map.unit_name.as_str()), ("feature_001", Unit::one(), "no units"));
        assert_eq!((&map.mapping, &map.scope, &map.quantity), (&Mapping::Linear(LinearMap::default()), &Scope::All, &None));
        // Its range in whole numbers, 0 to 1, is not that of its values.
        assert_eq!((map.range, map.value(-3.25)), (None, Some(-3.25)));
    }

    #[cfg(feature = "pixels")]
    #[test]
    fn values_of_a_map_are_those_of_the_file() {
        use crate::series;
        use crate::source::{InMemory, Source};
        let Some(path) = mj_testdata::path("seg_sr/parametric_map_float.dcm") else { return };
        let bytes = std::fs::read(path).unwrap();
        let dataset = Dataset::read(&bytes).unwrap();
        let [map] = read(&dataset).unwrap().try_into().unwrap();
        let stored: Vec<f32> = dataset
            .root()
            .raw(tags::FLOAT_PIXEL_DATA)
            .unwrap()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        let files: Vec<std::sync::Arc<dyn Source>> = vec![std::sync::Arc::new(InMemory { name: "x".into(), bytes })];
        let image = series::open(&files, &crate::Watch::default()).unwrap().stacks[0].load_image(0).unwrap();
        assert_eq!(image.volume.samples.len(), stored.len());
        for (at, stored) in stored.iter().enumerate() {
            let opened = image.volume.samples.stored(at).and_then(|v| map.value(v));
            assert_eq!(opened, Some(f64::from(*stored)), "{at}");
        }
    }

    #[test]
    fn an_object_of_mappings_is_about_images_of_others() {
        let Some(dataset) = dataset("seg_sr/qin_headneck_0003_tid1500/rwvm.dcm") else { return };
        let [map] = read(&dataset).unwrap().try_into().unwrap();
        assert_eq!(map.quantity.as_ref().map(|q| (q.code.as_str(), q.name_en.as_str())), Some(("126400", "Standardized Uptake Value")));
        assert_eq!((map.unit.0.as_str(), map.range), ("{SUVbw}g/ml", Some([0.0, 32761.0])));
        assert!((map.value(10_000.0).unwrap() - 3.75125).abs() < 1e-12);
        assert_eq!((map.value(-1.0), map.value(32_762.0)), (None, None));
        let Scope::Images(images) = &map.scope else { panic!("{:?}", map.scope) };
        let has_all = images.first().is_some_and(|i| i.instance.as_str().ends_with(".228755433214382668984541352487"));
        assert!(images.len() == 191 && has_all, "{}", images.len());
    }

    #[test]
    fn tables_frames_and_what_cannot_be() {
        let read_with = |change: &dyn Fn(&mut Object)| {
            let mut item = Object::new();
            item.item(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, code_item(&Code::new("UCUM", "mm2/s", "square mm per second", "")))
                .u16s(tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, &[10])
                .u16s(tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, &[12])
                .f64s(tags::REAL_WORLD_VALUE_LUT_DATA, &[0.5, 1.5, 4.0]);
            change(&mut item);
            let mut frame = Object::new();
            frame.item(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE, item);
            let mut object = Object::new();
            object.text(tags::MODALITY, VR::CS, "MR");
            object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![Object::new(), frame]);
            read(&Dataset::read(&object.into_file(PARAMETRIC_MAP, "1.2.3").unwrap()).unwrap())
        };
        let [map] = read_with(&|_| {}).unwrap().try_into().unwrap();
        assert_eq!((map.scope.clone(), map.unit.0.as_str()), (Scope::Frame(2), "mm2/s"));
        let values = [9.0, 10.0, 12.0, 13.0, 10.5, f64::NAN].map(|v| map.value(v));
        assert_eq!(values, [None, Some(0.5), Some(4.0), None, None, None]);
        let bad = |keyword| Err(Error::BadValue { keyword });
        assert_eq!(read_with(&|i| _ = i.f64s(tags::REAL_WORLD_VALUE_LUT_DATA, &[0.5, 1.5])), bad("RealWorldValueLUTData"));
        assert_eq!(read_with(&|i| _ = i.f64s(tags::REAL_WORLD_VALUE_LUT_DATA, &[0.5, f64::NAN, 1.0])), bad("RealWorldValueLUTData"));
        assert_eq!(read_with(&|i| _ = i.u16s(tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, &[9])), bad("RealWorldValueFirstValueMapped"));
        let missing = |keyword| Err(Error::Missing { keyword });
        assert_eq!(read_with(&|i| _ = i.empty(tags::REAL_WORLD_VALUE_LUT_DATA, VR::FD)), missing("RealWorldValueSlope"));
        assert_eq!(read_with(&|i| _ = i.f64s(tags::REAL_WORLD_VALUE_SLOPE, &[2.0])), missing("RealWorldValueIntercept"));
        assert_eq!(read_with(&|i| _ = i.empty(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, VR::SQ)), missing("MeasurementUnitsCodeSequence"));
    }
}
