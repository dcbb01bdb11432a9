//! What is known about the demo patient.

use super::nodule::Nodule;
use super::scene::{LiverVessels, label};
use super::tree::Branch;
use super::{Spec, abdomen, lps, prior_to_current};
use glam::Vec3;
use mj_model::{Grid, PointLps};
use serde_json::{Value, json};

/// Label value, SNOMED CT code, English and Chinese name.
const LABELS: [(u8, &str, &str, &str); 29] = [
    (1, "42400003", "Upper lobe of right lung", "右肺上叶"),
    (2, "72481006", "Middle lobe of right lung", "右肺中叶"),
    (3, "266005", "Lower lobe of right lung", "右肺下叶"),
    (4, "44714003", "Upper lobe of left lung", "左肺上叶"),
    (5, "41224006", "Lower lobe of left lung", "左肺下叶"),
    (label::TRACHEA, "44567001", "Trachea", "气管"),
    (label::HEART, "80891009", "Heart", "心脏"),
    (label::AORTA, "15825003", "Aorta", "主动脉"),
    (label::PULMONARY_ARTERY, "81040000", "Pulmonary artery", "肺动脉"),
    (label::SVC, "48345005", "Superior vena cava", "上腔静脉"),
    (label::IVC, "64131007", "Inferior vena cava", "下腔静脉"),
    (label::OESOPHAGUS, "32849002", "Esophagus", "食管"),
    (label::LIVER, "10200004", "Liver", "肝脏"),
    (label::PORTAL, "32764006", "Portal vein", "门静脉"),
    (label::HEPATIC, "8993003", "Hepatic vein", "肝静脉"),
    (label::TUMOUR, "4147007", "Mass", "肝脏肿瘤"),
    (label::GALLBLADDER, "28231008", "Gallbladder", "胆囊"),
    (label::SPLEEN, "78961009", "Spleen", "脾脏"),
    (label::RIGHT_KIDNEY, "9846003", "Right kidney", "右肾"),
    (label::LEFT_KIDNEY, "18639004", "Left kidney", "左肾"),
    (label::STOMACH, "69695003", "Stomach", "胃"),
    (label::VERTEBRAE, "51282000", "Vertebra", "椎骨"),
    (label::RIBS, "113197003", "Rib", "肋骨"),
    (label::STERNUM, "56873002", "Sternum", "胸骨"),
    (label::SCAPULA, "79601000", "Scapula", "肩胛骨"),
    (label::CANAL, "61853006", "Spinal canal", "椎管"),
    (label::NODULE, "27925004", "Nodule", "肺结节"),
    (label::PANCREAS, "15776009", "Pancreas", "胰腺"),
    (label::COLON, "71854001", "Colon", "结肠"),
];

/// The truth in the form of `truth.json`.
pub(super) fn truth(spec: &Spec, grid: &Grid, labels: &[u8], nodules: &[Nodule], vessels: &LiverVessels) -> Value {
    let mut counts = [0_u64; 256];
    for &l in labels {
        counts[usize::from(l)] += 1;
    }
    let ml = |value: u8| round(counts[usize::from(value)] as f64 * grid.voxel_ml());
    let label_rows: Vec<Value> = LABELS
        .iter()
        .filter(|l| counts[usize::from(l.0)] > 0)
        .map(|&(value, code, en, zh)| json!({"value": value, "scheme": "SCT", "code": code, "name_en": en, "name_zh": zh, "volume_ml": ml(value)}))
        .collect();
    let m = prior_to_current();
    let to_prior = m.inverse();
    let in_prior = |p: PointLps| {
        let q = to_prior.transform_point3(Vec3::new(p.x as f32, p.y as f32, p.z as f32));
        [q.x, q.y, q.z].map(|v| round(f64::from(v)))
    };
    let lobe_name = |value: u8| {
        LABELS.iter().find(|l| l.0 == value).map_or(Value::Null, |l| json!({"value": value, "code": l.1, "name_en": l.2, "name_zh": l.3}))
    };
    let nodule_rows: Vec<Value> = nodules
        .iter()
        .enumerate()
        .map(|(n, nodule)| {
            let centre = lps(nodule.centre);
            json!({
                "id": format!("n{}", n + 1),
                "centre_lps": point(centre),
                "diameter_mm": nodule.diameter,
                "kind": nodule.kind.name(),
                "lobe": lobe_name(nodule.lobe),
                "in_prior": nodule.prior.map(|d| json!({"centre_lps": in_prior(centre), "diameter_mm": d})),
            })
        })
        .collect();
    let rows: Vec<Vec<f64>> = (0..4)
        .map(|r| {
            let columns = [m.matrix3.x_axis, m.matrix3.y_axis, m.matrix3.z_axis, m.translation];
            columns.iter().enumerate().map(|(c, v)| if r < 3 { f64::from(v[r]) } else { f64::from(u8::from(c == 3)) }).collect()
        })
        .collect();
    json!({
        "seed": spec.seed,
        "labels": label_rows,
        "nodules": nodule_rows,
        "tumour": {
            "centre_lps": point(lps(abdomen::TUMOUR)),
            "diameter_mm": abdomen::TUMOUR_RADIUS * 2.0,
            "volume_ml": ml(label::TUMOUR),
            "organ": "10200004",
        },
        "vessels": {"portal": courses(&vessels.portal), "hepatic": courses(&vessels.hepatic)},
        "prior_to_current": rows,
        "contrast_phase": "portal_venous",
    })
}

fn courses(branches: &[Branch]) -> Vec<Value> {
    branches
        .iter()
        .map(|b| json!({"points_lps": [point(lps(b.a)), point(lps(b.b))], "radii_mm": [round(b.ra.into()), round(b.rb.into())]}))
        .collect()
}

fn point(p: PointLps) -> [f64; 3] {
    [p.x, p.y, p.z].map(round)
}

/// To a thousandth: more digits say nothing.
fn round(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}
