//! The three-d scene: the segment's surface, coloured by the side of the plane each spot lies on.

use super::orbit::Orbit;
use crate::{Error, Result};
use egui::Color32;
use mj_imaging::surface;
use mj_model::PointLps;
use mj_model::plan::CutPlane;
use std::sync::{Arc, Mutex, PoisonError};
use three_d::{
    Blend, Camera, ClearState, ColorMaterial, Context, CpuMesh, Cull, EffectMaterialId, Gm, Indices, InnerSpace as _, Interpolation, Light,
    Material, MaterialType, Mesh, Positions, Program, RenderStates, RenderTarget, ScissorBox, Srgba, Vec3, Vec4, Viewer, Viewport,
    Wrapping, WriteMask, vec3,
};

/// How the part that is taken away is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Removed {
    /// As a body.
    #[default]
    Solid,
    /// As a shadow of itself.
    Faint,
    /// Not at all.
    Hidden,
}

impl Removed {
    /// The next one.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Solid => Self::Faint,
            Self::Faint => Self::Hidden,
            Self::Hidden => Self::Solid,
        }
    }
}

/// What a picture of the scene shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) orbit: Orbit,
    pub(super) plane: CutPlane,
    /// Corners of the plane's square.
    pub(super) corners: [PointLps; 4],
    pub(super) removed: Removed,
    pub(super) kept_colour: Color32,
    pub(super) removed_colour: Color32,
    pub(super) plane_colour: Color32,
    /// Pixels per point.
    pub(super) ppp: f32,
}

/// The scene on the graphics device.
pub(super) struct Scene {
    context: Context,
    part: Option<Gm<Mesh, Sides>>,
    /// Half of the largest extent. Units: mm.
    reach: f32,
}

/// The scene, to be given to egui's paint callback.
///
/// three-d's objects hold the GL context, which is not `Send`, while egui asks for it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Scene>>);

#[expect(unsafe_code, reason = "egui's callbacks must be Send and Sync, GL objects are neither")]
// SAFETY: eframe runs the app's `ui` and egui's paint callbacks on the one thread that owns the GL context, and
// nothing else in this program is given the scene: no GL call is ever made from another thread.
unsafe impl Send for Shared {}
#[expect(unsafe_code, reason = "egui's callbacks must be Send and Sync, GL objects are neither")]
// SAFETY: as for `Send`; the mutex keeps two users apart besides.
unsafe impl Sync for Shared {}

impl Shared {
    /// A scene on eframe's GL context.
    pub(super) fn new(gl: Arc<egui_glow::glow::Context>) -> Result<Self> {
        let context = Context::from_gl_context(gl).map_err(|e| Error::Window(e.to_string()))?;
        let scene = Arc::new(Mutex::new(Scene { context, part: None, reach: 100.0 }));
        Ok(Self(scene))
    }

    /// Runs something on the scene; on the window's thread only.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Scene) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scene {
    /// Takes a surface to the graphics device.
    pub(super) fn show(&mut self, mesh: &surface::Mesh, extent: (PointLps, PointLps)) {
        let vectors = |list: &[[f32; 3]]| list.iter().map(|p| vec3(p[0], p[1], p[2])).collect::<Vec<Vec3>>();
        let cpu = CpuMesh {
            positions: Positions::F32(vectors(&mesh.positions)),
            indices: Indices::U32(mesh.triangles.iter().flatten().copied().collect()),
            normals: Some(vectors(&mesh.normals())),
            ..Default::default()
        };
        self.reach = ((extent.1 - extent.0).length() / 2.0) as f32;
        self.part = (!mesh.triangles.is_empty()).then(|| Gm::new(Mesh::new(&self.context, &cpu), Sides::default()));
    }

    /// Forgets the surface.
    pub(super) fn clear(&mut self) {
        self.part = None;
    }

    /// Draws into a part of the window. `viewport` is in pixels from below.
    pub(super) fn draw(&mut self, window: [u32; 2], viewport: Viewport, clip: ScissorBox, look: &Look) {
        let target = RenderTarget::screen(&self.context, window[0], window[1]);
        self.draw_into(&target, viewport, clip, look);
    }

    fn draw_into(&mut self, target: &RenderTarget<'_>, viewport: Viewport, clip: ScissorBox, look: &Look) {
        let camera = camera(look, viewport, self.reach);
        target.clear_partially(clip, ClearState::depth(1.0));
        let Some(part) = &mut self.part else { return };
        part.material = Sides::of(look);
        target.render_partially(clip, &camera, [&*part], &[]);
        if look.removed == Removed::Faint {
            // The shadow is drawn after the body, over it.
            let faint = Sides { pass: 1.0, ..part.material.clone() };
            target.render_partially_with_material(clip, &faint, &camera, [&part.geometry], &[]);
        }
        let square = square(&self.context, look);
        target.render_partially(clip, &camera, [&square], &[]);
    }

    /// Draws into memory. Shape: RGBA rows from the top.
    pub(super) fn picture(&mut self, width: u32, height: u32, look: &Look, background: Color32) -> Vec<[u8; 4]> {
        let linear = Interpolation::Linear;
        let edge = Wrapping::ClampToEdge;
        let colour = three_d::Texture2D::new_empty::<[u8; 4]>(&self.context, width, height, linear, linear, None, edge, edge);
        let depth = three_d::DepthTexture2D::new::<f32>(&self.context, width, height, edge, edge);
        let target = RenderTarget::new(colour.as_color_target(None), depth.as_depth_target());
        let [r, g, b, _] = background.to_normalized_gamma_f32();
        target.clear(ClearState::color_and_depth(r, g, b, 1.0, 1.0));
        let all = Viewport::new_at_origo(width, height);
        self.draw_into(&target, all, all.into(), look);
        target.read_color::<[u8; 4]>()
    }
}

fn point(p: PointLps) -> Vec3 {
    vec3(p.x as f32, p.y as f32, p.z as f32)
}

fn camera(look: &Look, viewport: Viewport, reach: f32) -> Camera {
    let (_, down, into) = look.orbit.axes();
    let v = |d: mj_model::VectorLps| vec3(d.x as f32, d.y as f32, d.z as f32);
    let target = point(look.orbit.target);
    let distance = reach * 4.0 + 500.0;
    // three-d takes the height at a distance of 1.
    let height = viewport.height as f32 / look.ppp * look.orbit.mm_per_point as f32 / distance;
    let mut camera = Camera::new_orthographic(viewport, target - v(into) * distance, target, -v(down), height, 1.0, distance * 2.0);
    // Colours are ours, not a film's.
    camera.disable_tone_and_color_mapping();
    camera
}

/// The plane as a thin square that everything shines through.
fn square(context: &Context, look: &Look) -> Gm<Mesh, ColorMaterial> {
    let cpu = CpuMesh {
        positions: Positions::F32(look.corners.iter().map(|&p| point(p)).collect()),
        indices: Indices::U8(vec![0, 1, 2, 0, 2, 3]),
        ..Default::default()
    };
    let [r, g, b, _] = look.plane_colour.to_array();
    let material = ColorMaterial {
        color: Srgba::new(r, g, b, 60),
        texture: None,
        is_transparent: true,
        render_states: RenderStates { write_mask: WriteMask::COLOR, blend: Blend::TRANSPARENCY, cull: Cull::None, ..Default::default() },
    };
    Gm::new(Mesh::new(context, &cpu), material)
}

/// Lit from the viewer; the side of the plane decides the colour, spot by spot. The inside of a surface, seen
/// where a part is hidden, is shown flat, so that the cut looks closed.
#[derive(Clone)]
struct Sides {
    plane: Vec4,
    into: Vec3,
    kept: Vec4,
    removed: Vec4,
    line: Vec4,
    /// 0 the body, 1 the faint part.
    pass: f32,
    /// Opacity of the removed part in the first pass: 1 or 0.
    solid: f32,
    flat_normal: Vec3,
}

impl Default for Sides {
    fn default() -> Self {
        let none = Vec4::new(0.0, 0.0, 0.0, 1.0);
        Self {
            plane: none,
            into: vec3(0.0, 1.0, 0.0),
            kept: none,
            removed: none,
            line: none,
            pass: 0.0,
            solid: 1.0,
            flat_normal: vec3(0.0, 0.0, 1.0),
        }
    }
}

impl Sides {
    fn of(look: &Look) -> Self {
        let n = look.plane.normal;
        let normal = vec3(n.x as f32, n.y as f32, n.z as f32);
        let colour = |c: Color32| {
            let [r, g, b, a] = c.to_normalized_gamma_f32();
            Vec4::new(r, g, b, a)
        };
        let (_, _, into) = look.orbit.axes();
        Self {
            plane: normal.extend(-normal.dot(point(look.plane.point))),
            into: vec3(into.x as f32, into.y as f32, into.z as f32),
            kept: colour(look.kept_colour),
            removed: colour(look.removed_colour),
            line: colour(look.plane_colour),
            pass: 0.0,
            solid: if look.removed == Removed::Solid { 1.0 } else { 0.0 },
            flat_normal: normal,
        }
    }
}

const FRAGMENT: &str = "
in vec3 pos;
in vec3 nor;
uniform vec4 plane;
uniform vec3 into;
uniform vec4 kept;
uniform vec4 removed;
uniform vec4 line;
uniform vec3 flatNormal;
uniform float pass_;
uniform float solid;
layout (location = 0) out vec4 outColor;

void main() {
    float side = dot(plane.xyz, pos) + plane.w;
    if (pass_ > 0.5 && side < 0.0) discard;
    if (pass_ < 0.5 && side > 0.0 && solid < 0.5) discard;
    vec4 base = side > 0.0 ? removed : kept;
    bool inner = !gl_FrontFacing;
    vec3 n = inner && solid < 0.5 ? flatNormal : normalize(nor);
    float facing = abs(dot(n, into));
    float light = inner ? 0.55 + 0.25 * facing : 0.22 + 0.78 * facing;
    vec3 c = base.rgb * light;
    if (!inner) c += vec3(0.10) * pow(facing, 24.0);
    if (pass_ < 0.5 && abs(side) < 0.55) c = line.rgb;
    float alpha = pass_ > 0.5 ? 0.16 + 0.22 * (1.0 - facing) : 1.0;
    outColor = vec4(c, alpha);
}
";

impl Material for Sides {
    fn id(&self) -> EffectMaterialId {
        // The range below 0x4000 is the user's own.
        EffectMaterialId(0x0101)
    }

    fn fragment_shader_source(&self, _lights: &[&dyn Light]) -> String {
        FRAGMENT.to_owned()
    }

    fn use_uniforms(&self, program: &Program, _viewer: &dyn Viewer, _lights: &[&dyn Light]) {
        program.use_uniform("plane", self.plane);
        program.use_uniform("into", self.into);
        program.use_uniform("kept", self.kept);
        program.use_uniform("removed", self.removed);
        program.use_uniform("line", self.line);
        program.use_uniform("flatNormal", self.flat_normal);
        program.use_uniform("pass_", self.pass);
        program.use_uniform("solid", self.solid);
    }

    fn render_states(&self) -> RenderStates {
        if self.pass > 0.5 {
            RenderStates { write_mask: WriteMask::COLOR, blend: Blend::TRANSPARENCY, cull: Cull::Back, ..Default::default() }
        } else {
            RenderStates { cull: Cull::None, ..Default::default() }
        }
    }

    fn material_type(&self) -> MaterialType {
        if self.pass > 0.5 { MaterialType::Transparent } else { MaterialType::Opaque }
    }
}
