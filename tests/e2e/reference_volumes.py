"""Research files as SimpleITK reads them, as JSON lines on stdout.

Usage: reference_volumes.py OUT COUNT SEED FILE...
First writes small volumes of its own into OUT: every format, many sample types, oblique and left-handed grids. Then,
for these and for each FILE: {"file", "size", "voxels": [{"ijk", "lps", "value"}], "labels_ml": {value: ml} or null,
"below_zero_ml"}. SimpleITK's physical space is LPS in mm.
"""

import json
import math
import pathlib
import random
import sys

import numpy as np
import SimpleITK as sitk

TYPES = {
    ".nii": ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"],
    ".nii.gz": ["int16", "float32"],
    ".img": ["int16"],
    ".nrrd": ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"],
    ".nhdr": ["int16"],
    ".mha": ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"],
    ".mhd": ["int16"],
}


def turned(angle: float, axis: tuple) -> np.ndarray:
    """A rotation by Rodrigues' formula."""
    n = np.array(axis, dtype=float) / np.linalg.norm(axis)
    k = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * (k @ k)


def write(out: pathlib.Path) -> list:
    """Small volumes in every format and several orders of axes."""
    grids = {
        "plain": np.eye(3),
        "ras": np.diag([-1.0, -1.0, 1.0]),
        "left": np.diag([1.0, 1.0, -1.0]),
        "oblique": turned(0.7, (1, 2, 3)),
        "oblique_left": turned(-2.1, (3, -1, 1)) @ np.diag([1.0, -1.0, 1.0]),
        "sagittal": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    }
    rng = np.random.default_rng(20261127)
    written = []
    for ending, types in TYPES.items():
        for name, direction in grids.items():
            for kind in types:
                low, high = (-100, 100) if kind == "int8" else (0, 200) if kind.startswith("u") else (-900, 900)
                array = rng.integers(low, high, (4, 6, 7)).astype(kind)
                if kind.startswith("float"):
                    array = array / array.dtype.type(8)
                image = sitk.GetImageFromArray(array)
                image.SetSpacing((0.7, 0.9, 2.5))
                image.SetOrigin((-31.5, 12.25, 803.125))
                image.SetDirection(direction.flatten().tolist())
                for packed in ([True, False] if ending in (".nrrd", ".mha") else [False]):
                    # A stem of its own: the NIfTI library takes a.nii where a.nii.gz was asked for.
                    path = out / f"{name}_{kind}_{int(packed)}_{ending.replace('.', '')}{ending}"
                    sitk.WriteImage(image, str(path), packed)
                    written.append(path)
    return written


def main() -> None:
    out, count, rng = pathlib.Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    made = write(out)
    for path in made + [pathlib.Path(p) for p in sys.argv[4:]]:
        image = sitk.ReadImage(str(path))
        size, array = image.GetSize(), sitk.GetArrayFromImage(image)
        voxels = []
        for _ in range(200 if path in made else count):
            ijk = [rng.randrange(n) for n in size]
            lps = image.TransformIndexToPhysicalPoint(ijk)
            voxels.append({"ijk": ijk, "lps": lps, "value": float(array[ijk[2], ijk[1], ijk[0]])})
        ml = float(np.prod(image.GetSpacing())) / 1000
        values, counts = np.unique(array, return_counts=True) if array.dtype.kind in "iu" else ([], [])
        labels = {str(int(v)): int(n) * ml for v, n in zip(values, counts) if v != 0} if 0 < len(values) < 200 else None
        print(json.dumps({
            "file": str(path),
            "size": size,
            "voxels": voxels,
            "labels_ml": labels,
            "below_zero_ml": int((array < 0).sum()) * ml,
        }))


if __name__ == "__main__":
    main()
