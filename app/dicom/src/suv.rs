//! Standardized uptake values of PET.
//!
//! `SUVbw = activity / (dose at the time that the activity is corrected to / body weight)`, in g/ml where a ml weighs a
//! gram. Scan time and units follow the vendor-neutral pseudo-code of RSNA's QIBA (FDG-PET/CT committee,
//! "SUV vendor neutral pseudocode", 2018): the Series Time where it is not after an image of the series was acquired, else
//! GE's own scan time, else the time computed back from the Frame Reference Time, else the earliest acquisition.
//!
//! `SUVlbm` takes the lean body mass of Janmahasatian et al. (Clin Pharmacokinet 2005;44:1051-65) in place of the weight.
//! What cannot be computed is refused with the reason, never guessed.
//!
//! Source: PS3.3 §C.8.9.1 (PET Series), §C.8.9.2 (PET Isotope), §C.8.9.4 (PET Image).

use crate::dataset::View;
use crate::header::Header;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use jiff::civil::{Date, DateTime, Time};
use mj_model::Warning;
use serde::{Deserialize, Serialize};

/// PET Image Storage, and the same turned into a multi-frame object.
const PET_IMAGES: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.128.1"];
/// Philips PET Private Group: creator, factor from counts to SUVbw, factor from counts to Bq/ml.
const PHILIPS: [Tag; 3] = [Tag(0x7053, 0x0010), Tag(0x7053, 0x1000), Tag(0x7053, 0x1009)];
/// GEMS_PETD_01: creator, scan date and time.
const GE: [Tag; 2] = [Tag(0x0009, 0x0010), Tag(0x0009, 0x100D)];
/// A decay over more half-lives than this comes from times that do not belong together.
const MOST_HALF_LIVES: f64 = 20.0;

/// Factors from the values of a stack, in its unit, to standardized uptake.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Suv {
    /// To SUVbw, by body weight. Units: g/ml for each unit of the value.
    pub body_weight: f64,
    /// To SUVlbm, by lean body mass after Janmahasatian; none where sex, height or weight is missing. Units: as above.
    pub lean_body_mass: Option<f64>,
}

/// What a PET image says about uptake.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    units: String,
    kind: String,
    decay_correction: String,
    corrected: Vec<String>,
    weight_kg: Option<f64>,
    height_m: Option<f64>,
    sex: String,
    dose_bq: Option<f64>,
    half_life_s: Option<f64>,
    start: Option<Start>,
    series_at: Option<DateTime>,
    acquired_at: Option<DateTime>,
    ge_scan_at: Option<DateTime>,
    reference_s: Option<f64>,
    duration_s: Option<f64>,
    philips_suv: Option<f64>,
    philips_activity: Option<f64>,
}

/// When the tracer was given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    At(DateTime),
    /// The day is not told.
    TimeOfDay(Time),
}

impl Facts {
    /// Reads them; none for an object that is no PET image.
    #[must_use]
    pub fn of(root: &View<'_>, header: &Header) -> Option<Self> {
        if !PET_IMAGES.contains(&header.sop_class.as_str()) {
            return None;
        }
        let positive = |view: &View<'_>, tag| view.float(tag).filter(|v| *v > 0.0);
        let tracer = root.item(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE);
        let of_tracer = |tag| tracer.as_ref().and_then(|item| positive(item, tag));
        let text_of_tracer = |tag| tracer.as_ref().map(|item| item.first_text(tag)).unwrap_or_default();
        let moment = |day, time| Some(date(&root.first_text(day))?.to_datetime(self::time(&root.first_text(time))?));
        let private = |creator: Tag, name: &str| root.first_text(creator).eq_ignore_ascii_case(name);
        let of_philips = |tag| positive(root, tag).filter(|_| private(PHILIPS[0], "Philips PET Private Group"));
        let start = date_time(&text_of_tracer(tags::RADIOPHARMACEUTICAL_START_DATE_TIME))
            .map(Start::At)
            .or_else(|| time(&text_of_tracer(tags::RADIOPHARMACEUTICAL_START_TIME)).map(Start::TimeOfDay));
        Some(Self {
            units: root.first_text(tags::UNITS),
            kind: root.first_text(tags::SUV_TYPE),
            decay_correction: root.first_text(tags::DECAY_CORRECTION),
            corrected: root.texts(tags::CORRECTED_IMAGE),
            weight_kg: positive(root, tags::PATIENT_WEIGHT),
            height_m: positive(root, tags::PATIENT_SIZE),
            sex: header.patient.sex.clone(),
            dose_bq: of_tracer(tags::RADIONUCLIDE_TOTAL_DOSE),
            half_life_s: of_tracer(tags::RADIONUCLIDE_HALF_LIFE),
            start,
            series_at: moment(tags::SERIES_DATE, tags::SERIES_TIME),
            acquired_at: moment(tags::ACQUISITION_DATE, tags::ACQUISITION_TIME),
            ge_scan_at: date_time(&root.first_text(GE[1])).filter(|_| private(GE[0], "GEMS_PETD_01")),
            reference_s: positive(root, tags::FRAME_REFERENCE_TIME).map(|ms| ms / 1000.0),
            duration_s: positive(root, tags::ACTUAL_FRAME_DURATION).map(|ms| ms / 1000.0),
            philips_suv: of_philips(PHILIPS[1]),
            philips_activity: of_philips(PHILIPS[2]),
        })
    }

    /// True when two images are of one injection into one person, in one unit.
    fn agrees(&self, other: &Self) -> bool {
        let about = |f: &Self| {
            let texts = (f.units.clone(), f.kind.clone(), f.decay_correction.clone(), f.sex.clone());
            let numbers = [f.weight_kg, f.height_m, f.dose_bq, f.half_life_s, f.philips_suv, f.philips_activity];
            (texts, numbers, f.start, f.series_at)
        };
        about(self) == about(other)
    }
}

/// The factors of a series of PET images; without images none, and where they cannot be told, a warning says why.
pub fn of_images<'a>(images: impl Iterator<Item = &'a Facts> + Clone, warnings: &mut Vec<Warning>) -> Option<Suv> {
    let first = images.clone().next()?;
    let found = if images.clone().all(|image| first.agrees(image)) {
        factors(first, images)
    } else {
        Err(Warning::new("suv.varies", "units, weight, dose or times differ from image to image"))
    };
    found.map_err(|why| warnings.push(why)).ok()
}

fn factors<'a>(facts: &Facts, images: impl Iterator<Item = &'a Facts> + Clone) -> Result<Suv, Warning> {
    if facts.units == "GML" {
        return given(facts);
    }
    if !facts.corrected.iter().any(|c| c == "ATTN") {
        return Err(Warning::new("suv.not_attenuation_corrected", "Corrected Image has no ATTN"));
    }
    if !facts.corrected.iter().any(|c| c == "DECY") {
        return Err(Warning::new("suv.not_decay_corrected", "Corrected Image has no DECY"));
    }
    let body_weight = match (facts.units.as_str(), facts.philips_suv, facts.philips_activity) {
        ("BQML", _, _) => of_activity(facts, images)?,
        ("CNTS", Some(factor), _) => factor,
        ("CNTS", None, Some(to_activity)) => to_activity * of_activity(facts, images)?,
        (units, _, _) => return Err(Warning::new("suv.units", if units.is_empty() { "no Units" } else { units })),
    };
    let lean = facts.weight_kg.zip(lean_janmahasatian_kg(facts)).map(|(weight, lean)| body_weight * lean / weight);
    Ok(Suv { body_weight, lean_body_mass: lean })
}

/// Values that are uptake already. Source: PS3.3 §C.8.9.1 (SUV Type (0054,1006): by body weight where it is absent).
fn given(facts: &Facts) -> Result<Suv, Warning> {
    let lean = lean_janmahasatian_kg(facts).zip(facts.weight_kg).map(|(lean, weight)| lean / weight);
    match facts.kind.as_str() {
        "" | "BW" => Ok(Suv { body_weight: 1.0, lean_body_mass: lean }),
        "LBMJANMA" => match lean {
            Some(share) => Ok(Suv { body_weight: 1.0 / share, lean_body_mass: Some(1.0) }),
            None => Err(Warning::new("suv.kind", "LBMJANMA without sex, height or weight")),
        },
        "LBMJAMES128" => match lean_james_kg(facts).zip(facts.weight_kg) {
            Some((james, weight)) => {
                let body_weight = weight / james;
                Ok(Suv { body_weight, lean_body_mass: lean.map(|share| body_weight * share) })
            }
            None => Err(Warning::new("suv.kind", "LBMJAMES128 without sex, height or weight")),
        },
        other => Err(Warning::new("suv.kind", other)),
    }
}

/// SUVbw of one Bq/ml. Units: g/Bq.
fn of_activity<'a>(facts: &Facts, images: impl Iterator<Item = &'a Facts> + Clone) -> Result<f64, Warning> {
    let weight = facts.weight_kg.ok_or_else(|| Warning::new("suv.no_weight", "Patient's Weight"))?;
    let dose = facts.dose_bq.ok_or_else(|| Warning::new("suv.no_dose", "Radionuclide Total Dose"))?;
    let dose_then = match facts.decay_correction.as_str() {
        "ADMIN" => dose,
        "START" => dose * share_left(facts, images)?,
        other => return Err(Warning::new("suv.not_decay_corrected", format!("Decay Correction {other}"))),
    };
    Ok(weight * 1000.0 / dose_then)
}

/// The share of the dose that is left at the scan time.
fn share_left<'a>(facts: &Facts, images: impl Iterator<Item = &'a Facts> + Clone) -> Result<f64, Warning> {
    let half_life = facts.half_life_s.ok_or_else(|| Warning::new("suv.no_half_life", "Radionuclide Half Life"))?;
    let start = facts.start.ok_or_else(|| Warning::new("suv.no_times", "Radiopharmaceutical Start Time"))?;
    let scan = scan_at(facts, half_life, images).ok_or_else(|| Warning::new("suv.no_times", "Series Time, Acquisition Time"))?;
    let decay_s = match start {
        Start::At(at) => seconds(at, scan),
        // Given before midnight, scanned after it.
        Start::TimeOfDay(at) => {
            let same_day = seconds(scan.date().to_datetime(at), scan);
            if same_day < 0.0 { same_day + 86_400.0 } else { same_day }
        }
    };
    if !(0.0..=MOST_HALF_LIVES * half_life).contains(&decay_s) {
        return Err(Warning::new("suv.times_contradict", format!("{decay_s:.0} s from injection to scan")));
    }
    Ok((-decay_s / half_life).exp2())
}

/// The time that the values are corrected to.
fn scan_at<'a>(facts: &Facts, half_life_s: f64, images: impl Iterator<Item = &'a Facts> + Clone) -> Option<DateTime> {
    let earliest = images.filter(|image| image.acquired_at.is_some()).min_by_key(|image| image.acquired_at)?;
    let acquired = earliest.acquired_at?;
    if let Some(series) = facts.series_at.filter(|series| *series <= acquired) {
        return Some(series);
    }
    if facts.ge_scan_at.is_some() {
        return facts.ge_scan_at;
    }
    let (Some(reference_s), Some(duration_s)) = (earliest.reference_s, earliest.duration_s) else { return Some(acquired) };
    // When within the frame the rate was that of its mean.
    let rate = std::f64::consts::LN_2 / half_life_s;
    let decay = rate * duration_s;
    let mean_s = (decay / (1.0 - (-decay).exp())).ln() / rate;
    acquired.checked_add(jiff::SignedDuration::try_from_secs_f64(mean_s - reference_s).ok()?).ok()
}

/// Units: kg. Source: Janmahasatian et al., Clin Pharmacokinet 2005;44:1051-65.
fn lean_janmahasatian_kg(facts: &Facts) -> Option<f64> {
    let (weight, height) = (facts.weight_kg?, facts.height_m?);
    let index = weight / (height * height);
    match facts.sex.as_str() {
        "M" => Some(9270.0 * weight / (6680.0 + 216.0 * index)),
        "F" => Some(9270.0 * weight / (8780.0 + 244.0 * index)),
        _ => None,
    }
}

/// Units: kg. Source: James, as PS3.3 §C.8.9.1 names it (LBMJAMES128).
fn lean_james_kg(facts: &Facts) -> Option<f64> {
    let (weight, height_cm) = (facts.weight_kg?, facts.height_m? * 100.0);
    let ratio = (weight / height_cm).powi(2);
    let lean = match facts.sex.as_str() {
        "M" => 1.10 * weight - 128.0 * ratio,
        "F" => 1.07 * weight - 148.0 * ratio,
        _ => return None,
    };
    (lean > 0.0).then_some(lean)
}

fn seconds(from: DateTime, to: DateTime) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// DA. Source: PS3.5 §6.2.
fn date(text: &str) -> Option<Date> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let part = |at: std::ops::Range<usize>| digits.get(at)?.parse::<i16>().ok();
    Date::new(part(0..4)?, i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?).ok()
}

/// TM, as far as it is given; also the form of ACR-NEMA with colons. Source: PS3.5 §6.2.
fn time(text: &str) -> Option<Time> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if whole.len() < 2 || whole.len() > 6 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| whole.get(at..at + 2).map_or(Some(0), |digits| digits.parse::<i8>().ok());
    let nanos: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    // A leap second is the one before it.
    Time::new(part(0)?, part(2)?, part(4)?.min(59), nanos.parse().ok()?).ok()
}

/// DT with at least hours. One with an offset from UTC is not read: the other times of a scan are local, and hours between
/// them would multiply the uptake. Source: PS3.5 §6.2.
fn date_time(text: &str) -> Option<DateTime> {
    let local = text.trim();
    if local.contains(['+', '-']) {
        return None;
    }
    Some(date(local.get(..8)?)?.to_datetime(time(local.get(8..)?)?))
}

#[cfg(test)]
mod tests;
