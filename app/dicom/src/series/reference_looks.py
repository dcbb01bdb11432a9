"""How pydicom shows samples, for comparing our colours and greys with it.

Usage: reference_looks.py FOLDER
FOLDER/jobs.json holds [{"path", "samples", "shape"}]: an object, a file of its decoded samples of one frame as little endian
int64, and their shape. For each job n, written as bytes: "n.rgb" (red, green, blue) of an image in colour, or "n.m.grey" for
each look m of a grey one, lookup tables before windows, black and white as displayed. FOLDER/done.json tells for each job what
was written: "rgb", or the number of looks.
"""

import json
import pathlib
import sys

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing, convert_color_space


def bits8(values: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(values.astype(float) * 255 / (2**bits - 1)).astype(np.uint8)


def colours(data: pydicom.Dataset, samples: np.ndarray) -> np.ndarray:
    photometric = data.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        made = apply_color_lut(samples, data)
        return (made >> 8 if made.max() > 255 else made).astype(np.uint8)
    made = bits8(samples, data.BitsStored)
    return convert_color_space(made, photometric, "RGB") if photometric.startswith("YBR_FULL") else made


def output_range(data: pydicom.Dataset) -> tuple[float, float]:
    """What apply_windowing makes of black and white."""
    if "ModalityLUTSequence" in data:
        return 0, 2 ** data.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    bits = data.BitsStored
    low, high = (0, 2**bits - 1) if data.PixelRepresentation == 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    slope, intercept = float(data.get("RescaleSlope") or 1), float(data.get("RescaleIntercept") or 0)
    return low * slope + intercept, high * slope + intercept


def looks(data: pydicom.Dataset, samples: np.ndarray) -> list[np.ndarray]:
    values = apply_modality_lut(samples, data)
    flip = data.PhotometricInterpretation == "MONOCHROME1"
    made = []
    for index, item in enumerate(data.get("VOILUTSequence") or []):
        made.append(apply_voi(values.astype(np.int64), data, index) / (2.0 ** item.LUTDescriptor[2] - 1))
    centers = data.get("WindowCenter")
    n = 0 if centers in (None, "") else (len(centers) if isinstance(centers, pydicom.multival.MultiValue) else 1)
    low, high = output_range(data)
    for index in range(n):
        made.append((apply_windowing(values, data, index) - low) / (high - low))
    return [np.rint(255 * (1 - share if flip else share)).astype(np.uint8) for share in made]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    done = []
    for n, job in enumerate(json.loads((folder / "jobs.json").read_text())):
        data = pydicom.dcmread(job["path"], force=True)
        kind = {8: np.uint8, 16: np.uint16, 32: np.uint32}[data.BitsAllocated]
        if data.PixelRepresentation == 1:
            kind = {np.uint8: np.int8, np.uint16: np.int16, np.uint32: np.int32}[kind]
        samples = np.fromfile(folder / job["samples"], dtype="<i8").reshape(job["shape"]).astype(kind)
        if data.get("SamplesPerPixel", 1) > 1 or data.PhotometricInterpretation == "PALETTE COLOR":
            colours(data, samples).tofile(folder / f"{n}.rgb")
            done.append("rgb")
            continue
        # What stands in functional groups pydicom does not look up.
        made = [] if "SharedFunctionalGroupsSequence" in data else looks(data, samples)
        for m, grey in enumerate(made):
            grey.tofile(folder / f"{n}.{m}.grey")
        done.append(len(made))
    (folder / "done.json").write_text(json.dumps(done))


if __name__ == "__main__":
    main()
