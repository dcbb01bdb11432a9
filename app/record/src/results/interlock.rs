//! Holds a result against the images it speaks of.

use super::Home;
use crate::{Error, Record, Result, StoredObject};
use mj_dicom::Header;
use mj_dicom::plane::{Plane, side_of};
use mj_dicom::seg::FramePlace;
use mj_model::{Confirmed, Extent, Finding, Geometry, Grid, Held, PointLps, SeriesUid, Shape, Side};

/// How far a flat shape may lie from its image, beside half the distance of slices. Units: mm.
const OFF_PLANE_MM: f64 = 1.0;
/// How far from the middle a place must lie before its side is judged: what lies near it may belong to either. Units: mm.
const MIDDLE_MM: f64 = 20.0;
/// Narrower images need not have the patient's middle in theirs. Units: mm.
const BOTH_SIDES_MM: f64 = 200.0;

/// An image that is here.
struct Image {
    header: Header,
    side: Side,
    /// One voxel thick: the third distance is that to the next slice.
    plane: Option<Grid>,
    size: [u32; 2],
}

/// The first thing that does not fit; `None` when all does.
pub(super) async fn judge(record: &Record, result: &Header, home: &Home, finding: &Finding) -> Result<Option<Held>> {
    let mut images = Vec::new();
    for image in &home.images {
        if let Some(object) = record.object_if_here(&image.instance).await? {
            if home.told.as_ref().is_some_and(|told| *told != object.series) {
                return Ok(Some(Held::OtherSeries));
            }
            images.push(read(record, object).await?);
        }
    }
    if images.is_empty() && home.images.is_empty() {
        // A place without images: any image of the series it names tells whose it is.
        images = of_series(record, home).await?;
    }
    let middle_mm = middle(record.findings(&home.study).await?, &home.series);
    let misfit = if images.is_empty() { Some(Held::ImagesNotHere) } else { misfit(result, finding, &images, middle_mm) };
    // What reaches beyond the images that are here may lie on those that are not.
    let is_partial = images.len() < home.images.len();
    Ok(misfit.map(|held| if held == Held::OffImage && is_partial { Held::ImagesNotHere } else { held }))
}

/// How far a frame may lie from the image that it was made on. Units: pixels.
const OFF_FRAME: f64 = 0.5;
/// Frames of a segmentation that are looked at.
const FRAMES: usize = 16;

/// True when frames of a segmentation that say they were made on an image do not lie where that image lies, or are turned.
pub(super) async fn is_misplaced(record: &Record, places: &[FramePlace]) -> Result<bool> {
    for place in places.iter().step_by(places.len().div_ceil(FRAMES).max(1)).filter(|p| p.is_on_image) {
        let Some(image) = &place.image else { continue };
        let Some(object) = record.object_if_here(&image.instance).await? else { continue };
        let Some(plane) = read(record, object).await?.plane else { continue };
        let is_turned = (0..2).any(|axis| plane.axes[axis].dot(place.axes[axis]) < 0.999);
        let off_mm = OFF_FRAME * plane.spacing_mm[0].max(plane.spacing_mm[1]);
        if is_turned || plane.origin.distance_mm(place.origin) > off_mm.max(0.1) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn of_series(record: &Record, home: &Home) -> Result<Vec<Image>> {
    let objects = match record.series_objects(&home.series).await {
        Err(Error::Unknown(_)) => Vec::new(),
        other => other?,
    };
    let with_pixels: Vec<_> = objects.iter().filter(|o| o.rows > 0).collect();
    let mut images = Vec::new();
    let picked = [with_pixels.first(), with_pixels.get(with_pixels.len() / 2), with_pixels.last()];
    for object in picked.into_iter().flatten() {
        images.push(read(record, (*object).clone()).await?);
    }
    Ok(images)
}

/// The pixels of an image say nothing here, and are left unread.
async fn read(record: &Record, object: StoredObject) -> Result<Image> {
    let record = record.clone();
    let work = move || {
        let head = record.read_head(&object.path)?;
        let plane = Plane::of(&head).ok().and_then(|plane| plane.grid).filter(|_| object.frames <= 1);
        Ok(Image { side: side_of(&head), plane, size: [object.columns, object.rows], header: head.header()? })
    };
    tokio::task::spawn_blocking(work).await?
}

fn misfit(result: &Header, finding: &Finding, images: &[Image], middle_mm: Option<f64>) -> Option<Held> {
    let planes: Vec<&Grid> = images.iter().filter_map(|image| image.plane.as_ref()).collect();
    let of_other = |image: &&Image| image.header.patient.key != result.patient.key || image.header.patient.contradicts(&result.patient);
    if images.iter().any(|image| of_other(&image)) {
        return Some(Held::OtherPatient);
    }
    let date = |header: &Header| header.study.date.clone();
    let is_other_study = images.iter().any(|image| image.header.study.uid != result.study.uid);
    if is_other_study
        || images.iter().any(|image| date(&image.header).is_some() && date(result).is_some() && date(&image.header) != date(result))
    {
        return Some(Held::OtherDate);
    }
    let frames = || images.iter().filter_map(|image| image.header.series.frame_of_reference.as_ref());
    if let Some(frame) = &finding.frame_of_reference
        && frames().next().is_some()
        && !frames().any(|known| known == frame)
    {
        return Some(Held::OtherFrameOfReference);
    }
    if is_off(finding, images, &planes) {
        return Some(Held::OffImage);
    }
    is_other_side(finding, images, &planes, middle_mm).then_some(Held::OtherSide)
}

/// True when a shape cannot have been drawn on the images it names.
fn is_off(finding: &Finding, images: &[Image], planes: &[&Grid]) -> bool {
    match &finding.geometry {
        Geometry::OnImage(shape) => {
            let Some(Image { size: [columns, rows], .. }) = images.first() else { return false };
            let within = |v: f64, n: u32| (-1.5..=f64::from(n) + 0.5).contains(&v);
            !shape.positions().iter().all(|[column, row]| within(*column, *columns) && within(*row, *rows))
        }
        Geometry::InSpace(shape) if !planes.is_empty() => {
            let is_flat = !matches!(shape, Shape::Contours { contours } if contours.len() > finding.images.len());
            // A shape that names several images may lie on a plane through them.
            let is_through = finding.images.len() > 1;
            let is_at =
                |plane: &Grid, p: PointLps| if is_through { is_between(planes, p, 0.0) } else { !is_flat || is_near(plane, p, finding) };
            let is_on = |p: &PointLps| planes.iter().any(|plane| covers(plane, *p) && is_at(plane, *p));
            !shape.positions().iter().all(is_on)
        }
        Geometry::Extent(Extent::Sphere { centre, radius_mm }) if !planes.is_empty() => {
            !planes.iter().any(|plane| covers(plane, *centre) && is_between(planes, *centre, *radius_mm))
        }
        _ => false,
    }
}

/// On the image's slice.
fn is_near(plane: &Grid, point: PointLps, finding: &Finding) -> bool {
    let depth_mm = (point - plane.origin).dot(plane.axes[2]).abs();
    finding.images.is_empty() || depth_mm <= plane.spacing_mm[2] / 2.0 + OFF_PLANE_MM
}

/// True when a place lies between the outermost images, or no farther beyond them than half their distance and `reach_mm`.
fn is_between(planes: &[&Grid], point: PointLps, reach_mm: f64) -> bool {
    let depths =
        || planes.iter().map(|plane| ((point - plane.origin).dot(plane.axes[2]), plane.spacing_mm[2] / 2.0 + OFF_PLANE_MM + reach_mm));
    depths().any(|(depth, beyond)| depth >= -beyond) && depths().any(|(depth, beyond)| depth <= beyond)
}

/// True when a point's foot lies on the image, pixels counted with their whole area.
fn covers(plane: &Grid, point: PointLps) -> bool {
    let [column, row, _] = plane.voxel_from_lps(point);
    let within = |at: f64, n: usize| (-0.5..=n as f64 - 0.5).contains(&at);
    within(column, plane.dims[0]) && within(row, plane.dims[1])
}

/// True when a finding says left and lies right, or the other way round: by the images' own laterality, else by where it
/// lies beside the middle: that between paired organs where it is known, else that of wide images. +x is the patient's left
/// (PS3.3 §C.7.6.2.1.1).
fn is_other_side(finding: &Finding, images: &[Image], planes: &[&Grid], middle_mm: Option<f64>) -> bool {
    let other = match finding.side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
        Side::Both | Side::None => return false,
    };
    if images.iter().any(|image| image.side == other) {
        return true;
    }
    let of_images = || {
        let plane = planes.first()?;
        let across_mm: f64 = (0..2).map(|a| (plane.axes[a].x * plane.spacing_mm[a] * plane.dims[a] as f64).abs()).sum();
        (across_mm >= BOTH_SIDES_MM).then(|| plane.centre().x)
    };
    let (Some(centre), Some(middle)) = (finding.geometry.centre(), middle_mm.or_else(of_images)) else { return false };
    let from_middle = centre.x - middle;
    let lies = if from_middle > 0.0 { Side::Left } else { Side::Right };
    from_middle.abs() > MIDDLE_MM && lies == other
}

/// Organs of which there is one on each side: lung, kidney, adrenal gland, femur, humerus, scapula, clavicle, hip.
const PAIRED: [&str; 8] = ["39607008", "64033007", "23451007", "71341001", "85050009", "79601000", "51299004", "29836001"];

/// The middle between organs of both sides on a series, by the segments that a person stands for: each organ counts where it
/// has one segment a side that lie as they say. Units: mm along x, LPS.
fn middle(findings: Vec<Finding>, series: &SeriesUid) -> Option<f64> {
    let is_organ = |f: &Finding| PAIRED.contains(&f.kind.code.as_str()) && matches!(f.geometry, Geometry::Extent(Extent::Segment { .. }));
    let organs: Vec<Finding> = findings
        .into_iter()
        .filter(|f| f.series == *series && is_organ(f))
        .filter_map(|f| Confirmed::of(f).map(|confirmed| confirmed.finding().clone()))
        .collect();
    let only = |code: &str, side: Side| {
        let mut of_side = organs.iter().filter(|f| f.kind.code == code && f.side == side);
        of_side.next().filter(|_| of_side.next().is_none()).and_then(|f| f.geometry.centre())
    };
    let pairs = PAIRED.iter().filter_map(|code| only(code, Side::Left).zip(only(code, Side::Right)));
    let middles = pairs.filter(|(left, right)| left.x > right.x).map(|(left, right)| f64::midpoint(left.x, right.x));
    let (n, sum) = middles.fold((0_u32, 0.0), |(n, sum), middle| (n + 1, sum + middle));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{Code, FindingState, InstanceUid, SopClassUid, StudyUid};

    fn series() -> SeriesUid {
        SeriesUid::parse("1.3").unwrap()
    }

    fn organ(code: &str, side: Side, x: f64) -> Finding {
        let geometry = Geometry::Extent(Extent::Segment {
            series: None,
            instance: InstanceUid::parse("1.4").unwrap(),
            sop_class: SopClassUid::parse("1.5").unwrap(),
            number: 1,
            centre: Some(PointLps::new(x, 0.0, 0.0)),
        });
        let made = Finding::new("f".into(), StudyUid::parse("1.2").unwrap(), series(), geometry, "p");
        Finding { kind: Code::new("SCT", code, "", ""), side, ..made }
    }

    #[test]
    fn the_middle_lies_between_paired_organs_that_a_person_stands_for() {
        let (lung, kidney, nodule) = ("39607008", "64033007", "27925004");
        let of = |all: &[Finding]| middle(all.to_vec(), &series());
        let lungs = [organ(lung, Side::Right, -40.0), organ(lung, Side::Left, 120.0)];
        assert_eq!(of(&lungs), Some(40.0));
        let kidneys = [organ(kidney, Side::Left, 100.0), organ(kidney, Side::Right, -10.0)];
        assert_eq!(of(&[lungs.clone(), kidneys].concat()), Some(42.5));
        // One alone, two of one side, a pair that lies the wrong way round, and lesions tell nothing.
        assert_eq!(of(&lungs[..1]), None);
        assert_eq!(of(&[organ(lung, Side::Left, 0.0), organ(kidney, Side::Right, -9.0)]), None);
        assert_eq!(of(&[organ(lung, Side::Left, -40.0), organ(lung, Side::Right, 120.0)]), None);
        assert_eq!(of(&[lungs.clone().as_slice(), &[organ(lung, Side::Left, 90.0)]].concat()), None);
        assert_eq!(of(&[organ(nodule, Side::Right, -40.0), organ(nodule, Side::Left, 120.0)]), None);
        // What waits or was rejected, and what lies on another series, does not count.
        for state in [FindingState::Proposed, FindingState::Rejected] {
            assert_eq!(of(&lungs.clone().map(|f| Finding { state, ..f })), None);
        }
        assert_eq!(middle(lungs.to_vec(), &SeriesUid::parse("1.9").unwrap()), None);
    }
}
