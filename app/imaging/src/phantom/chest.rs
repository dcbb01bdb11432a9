//! Heart, great vessels, windpipe and gullet.

use super::body::{Body, above_diaphragm};
use super::shape::{Shape, smooth_max, smooth_min, tube};
use glam::Vec3;

/// The heart's long axis.
const LONG: Vec3 = Vec3::new(0.70, -0.52, -0.49);

/// An ellipsoid's first order distance.
fn egg(p: Vec3, c: [f32; 3], long: Vec3, r: [f32; 3]) -> f32 {
    let d = p - Vec3::from(c);
    let second = Vec3::Z.cross(long).normalize_or(Vec3::Y);
    let third = long.cross(second);
    let q = Vec3::new(d.dot(long), d.dot(second), d.dot(third));
    let r = Vec3::from(r);
    let (k, g) = ((q / r).length(), (q / (r * r)).length());
    if g < 1e-6 { -r.min_element() } else { (k * (k - 1.0) / g).max(-r.min_element()) }
}

/// The heart's outside without its fat.
pub(super) fn heart(body: &Body, p: Vec3) -> f32 {
    if (p - Vec3::new(15.0, -28.0, 205.0)).length() > 120.0 {
        return (p - Vec3::new(15.0, -28.0, 205.0)).length() - 75.0;
    }
    let long = LONG.normalize_or(Vec3::X);
    let left = egg(p, [38.0, -34.0, 190.0], long, [47.0, 32.0, 32.0]);
    let right = egg(p, [8.0, -55.0, 194.0], Vec3::new(0.83, -0.25, -0.5).normalize_or(Vec3::X), [46.0, 21.0, 31.0]);
    let right_atrium = egg(p, [-32.0, -32.0, 206.0], Vec3::Z, [32.0, 22.0, 24.0]);
    let left_atrium = egg(p, [8.0, 6.0, 224.0], Vec3::X, [33.0, 20.0, 23.0]);
    let base = egg(p, [4.0, -28.0, 218.0], Vec3::X, [34.0, 26.0, 24.0]);
    let all = smooth_min(smooth_min(left, right, 14.0), smooth_min(smooth_min(right_atrium, left_atrium, 14.0), base, 14.0), 14.0);
    smooth_max(all + body.noise.rough(p / 22.0) * 1.6, -above_diaphragm(body, p) + 1.0, 6.0)
}

/// Blood in the chambers.
pub(super) fn chambers(body: &Body, p: Vec3) -> f32 {
    let long = LONG.normalize_or(Vec3::X);
    let trabecles = body.noise.rough(p / 5.5) * 2.2;
    let left = egg(p, [36.0, -32.0, 192.0], long, [36.0, 19.5, 19.5]) + trabecles * 0.8;
    let right = egg(p, [8.0, -57.0, 195.0], Vec3::new(0.83, -0.25, -0.5).normalize_or(Vec3::X), [40.0, 14.5, 25.0]) + trabecles;
    let right_atrium = egg(p, [-32.0, -32.0, 206.0], Vec3::Z, [28.5, 18.5, 20.5]);
    let left_atrium = egg(p, [8.0, 6.0, 224.0], Vec3::X, [30.0, 17.0, 20.0]);
    let valve = egg(p, [20.0, -16.0, 212.0], long, [20.0, 13.0, 13.0]);
    let tricuspid = egg(p, [-13.0, -44.0, 201.0], Vec3::X, [16.0, 13.0, 13.0]);
    let left_side = smooth_min(smooth_min(left, left_atrium, 6.0), valve, 6.0);
    let right_side = smooth_min(smooth_min(right, right_atrium, 6.0), tricuspid, 6.0);
    // Nothing reaches through the heart's wall.
    smooth_max(left_side.min(right_side), heart(body, p) + 2.2, 2.0)
}

/// The aorta with the branches of its arch.
pub(super) fn aorta() -> Vec<Shape> {
    let mut out = tube(
        &[
            [14.0, -22.0, 212.0, 14.0],
            [-8.0, -30.0, 232.0, 17.0],
            [-18.0, -32.0, 260.0, 16.0],
            [-14.0, -24.0, 286.0, 15.0],
            [0.0, -4.0, 301.0, 14.0],
            [16.0, 16.0, 301.0, 13.0],
            [26.0, 31.0, 286.0, 12.8],
            [27.0, 40.0, 258.0, 12.3],
            [26.0, 45.0, 220.0, 12.0],
            [21.0, 42.0, 180.0, 11.7],
            [14.0, 33.0, 140.0, 11.3],
            [8.0, 25.0, 100.0, 10.8],
            [6.0, 17.0, 50.0, 9.8],
            [5.0, 12.0, -20.0, 9.0],
        ],
        0.0,
    );
    out.extend(tube(
        &[
            [-9.0, -14.0, 306.0, 6.5],
            [-15.0, -10.0, 328.0, 6.0],
            [-26.0, -4.0, 350.0, 5.5],
            [-60.0, 2.0, 362.0, 4.5],
            [-110.0, 2.0, 356.0, 4.0],
        ],
        0.0,
    ));
    out.extend(tube(&[[-26.0, -4.0, 350.0, 4.0], [-24.0, 0.0, 365.0, 3.6], [-24.0, 2.0, 395.0, 3.6]], 0.0));
    out.extend(tube(&[[5.0, 2.0, 306.0, 4.5], [13.0, 0.0, 335.0, 4.0], [22.0, 2.0, 395.0, 3.6]], 0.0));
    out.extend(tube(&[[15.0, 16.0, 306.0, 5.5], [24.0, 14.0, 335.0, 5.2], [44.0, 14.0, 360.0, 5.0], [105.0, 5.0, 357.0, 4.0]], 0.0));
    // Celiac trunk, upper mesenteric artery, kidney arteries.
    out.extend(tube(&[[7.0, 20.0, 88.0, 3.6], [5.0, 6.0, 86.0, 3.2], [-12.0, -2.0, 92.0, 2.6], [-24.0, -6.0, 97.0, 2.2]], 0.0));
    out.extend(tube(&[[5.0, 6.0, 86.0, 2.8], [28.0, 16.0, 92.0, 2.6], [70.0, 38.0, 104.0, 2.4]], 0.0));
    out.extend(tube(&[[7.0, 14.0, 72.0, 3.6], [5.0, 0.0, 55.0, 3.3], [4.0, -8.0, 10.0, 3.0], [3.0, -10.0, -20.0, 2.8]], 0.0));
    out.extend(tube(&[[4.0, 20.0, 60.0, 3.0], [-20.0, 36.0, 56.0, 2.6], [-48.0, 45.0, 52.0, 2.2]], 0.0));
    out.extend(tube(&[[8.0, 20.0, 64.0, 3.0], [28.0, 36.0, 66.0, 2.6], [52.0, 46.0, 66.0, 2.2]], 0.0));
    out
}

/// Pulmonary trunk and main arteries up to the lungs' roots.
pub(super) fn pulmonary_arteries() -> Vec<Shape> {
    let mut out = tube(
        &[
            [6.0, -56.0, 212.0, 14.0],
            [12.0, -46.0, 236.0, 14.0],
            [18.0, -26.0, 254.0, 13.5],
            [30.0, -4.0, 262.0, 11.5],
            [46.0, 16.0, 258.0, 9.5],
        ],
        0.0,
    );
    out.extend(tube(&[[18.0, -26.0, 254.0, 11.0], [2.0, -8.0, 257.0, 10.5], [-22.0, 2.0, 254.0, 10.0], [-46.0, 8.0, 248.0, 8.5]], 0.0));
    out
}

/// Upper caval vein with what flows into it.
pub(super) fn upper_caval() -> Vec<Shape> {
    let mut out =
        tube(&[[-28.0, -24.0, 318.0, 8.5], [-30.0, -24.0, 290.0, 9.5], [-31.0, -20.0, 260.0, 9.5], [-31.0, -26.0, 226.0, 10.0]], 0.0);
    out.extend(tube(
        &[[-28.0, -24.0, 316.0, 7.0], [-38.0, -20.0, 340.0, 6.5], [-70.0, -14.0, 358.0, 5.5], [-115.0, -6.0, 352.0, 5.0]],
        0.0,
    ));
    out.extend(tube(
        &[
            [-27.0, -25.0, 314.0, 7.5],
            [0.0, -36.0, 322.0, 7.0],
            [32.0, -30.0, 336.0, 6.5],
            [75.0, -16.0, 354.0, 5.5],
            [115.0, -8.0, 350.0, 5.0],
        ],
        0.0,
    ));
    out.extend(tube(&[[-38.0, -20.0, 340.0, 6.0], [-34.0, -8.0, 395.0, 6.0]], 0.0));
    out.extend(tube(&[[32.0, -30.0, 336.0, 6.0], [32.0, -10.0, 395.0, 6.0]], 0.0));
    // Azygos vein and its arch.
    out.extend(tube(
        &[
            [-6.0, 32.0, 90.0, 2.6],
            [-8.0, 45.0, 180.0, 3.4],
            [-8.0, 42.0, 270.0, 4.0],
            [-18.0, 30.0, 288.0, 4.4],
            [-28.0, -6.0, 286.0, 4.6],
        ],
        0.0,
    ));
    out
}

/// Lower caval vein.
pub(super) fn lower_caval() -> Vec<Shape> {
    let mut out = tube(
        &[
            [-20.0, 16.0, -20.0, 10.0],
            [-22.0, 19.0, 50.0, 11.0],
            [-25.0, 20.0, 110.0, 12.0],
            [-26.0, 14.0, 152.0, 12.5],
            [-28.0, 0.0, 178.0, 13.0],
            [-31.0, -20.0, 194.0, 14.0],
        ],
        0.0,
    );
    out.extend(tube(&[[-22.0, 20.0, 54.0, 4.5], [-40.0, 36.0, 53.0, 4.0], [-52.0, 44.0, 52.0, 3.5]], 0.0));
    out.extend(tube(&[[-20.0, 18.0, 66.0, 4.5], [6.0, 4.0, 68.0, 4.0], [32.0, 26.0, 68.0, 4.0], [54.0, 44.0, 66.0, 3.5]], 0.0));
    out
}

/// Pulmonary veins from the left atrium to the lungs' roots.
pub(super) fn pulmonary_veins() -> Vec<Shape> {
    let mut out = tube(&[[-8.0, 4.0, 228.0, 8.0], [-28.0, 0.0, 234.0, 7.0], [-48.0, -6.0, 243.0, 6.0]], 0.0);
    out.extend(tube(&[[-8.0, 10.0, 218.0, 8.0], [-28.0, 16.0, 214.0, 7.0], [-48.0, 24.0, 208.0, 6.0]], 0.0));
    out.extend(tube(&[[24.0, 4.0, 230.0, 8.0], [38.0, -2.0, 238.0, 6.5], [52.0, -8.0, 247.0, 6.0]], 0.0));
    out.extend(tube(&[[24.0, 10.0, 220.0, 8.0], [38.0, 20.0, 214.0, 6.5], [52.0, 30.0, 208.0, 6.0]], 0.0));
    out
}

/// Course of windpipe and main bronchi: inner radius.
const AIRWAYS: [&[[f32; 4]]; 3] = [
    &[[0.0, -2.0, 395.0, 8.6], [0.0, 6.0, 340.0, 8.4], [2.0, 17.0, 300.0, 8.4], [1.0, 22.0, 276.0, 9.0]],
    &[[1.0, 22.0, 277.0, 7.8], [-16.0, 24.0, 262.0, 6.6], [-38.0, 24.0, 250.0, 5.6]],
    &[[1.0, 22.0, 277.0, 7.6], [20.0, 23.0, 262.0, 5.8], [46.0, 22.0, 246.0, 5.2]],
];

/// Windpipe and main bronchi; `grow` is added to the inner radius.
pub(super) fn airways(grow: f32) -> Vec<Shape> {
    AIRWAYS.iter().flat_map(|course| tube(course, grow)).collect()
}

/// The gullet.
pub(super) fn gullet() -> Vec<Shape> {
    tube(
        &[
            [4.0, 14.0, 395.0, 5.5],
            [5.0, 23.0, 330.0, 6.0],
            [7.0, 36.0, 280.0, 6.2],
            [9.0, 39.0, 240.0, 6.4],
            [9.0, 35.0, 200.0, 6.8],
            [20.0, 24.0, 168.0, 7.2],
            [40.0, 8.0, 140.0, 8.0],
        ],
        0.0,
    )
}

/// Air in the gullet here and there.
pub(super) fn gullet_air() -> Vec<Shape> {
    vec![
        Shape::ellipsoid(Vec3::new(5.2, 23.0, 324.0), Vec3::new(2.2, 1.4, 12.0)),
        Shape::ellipsoid(Vec3::new(8.2, 37.0, 260.0), Vec3::new(2.4, 1.4, 10.0)),
    ]
}

/// Distance to everything that the mediastinum's fat lies around.
pub(super) fn great_vessels(body: &Body, p: Vec3) -> f32 {
    // Further away than this nothing is asked.
    let is_near = |c: &Vec3, half: &Vec3| ((p - *c).abs() - *half).max_element() < 20.0;
    body.great.iter().filter(|(c, half, _)| is_near(c, half)).map(|(_, _, s)| s.distance(body, p)).fold(40.0, f32::min)
}

/// The forms of [`great_vessels`].
pub(super) fn great() -> Vec<(Vec3, Vec3, Shape)> {
    let place = |s: Shape| s.reach().filter(|(c, _)| c.z > 150.0 && c.x.abs() < 56.0).map(|(c, half)| (c, half, s));
    [aorta(), pulmonary_arteries(), upper_caval(), pulmonary_veins(), airways(1.5), gullet()]
        .concat()
        .into_iter()
        .filter_map(place)
        .collect()
}
