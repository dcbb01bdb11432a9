"""Random voxels of DICOM series as pydicom and SimpleITK read them, as JSON lines on stdout.

Usage: reference_voxels.py FOLDER COUNT SEED [--walk]
Each line: {"folder", "series", "instance", "frame" or null, "voxel": [i, j], "lps": [x, y, z], "stored", "value", "itk_value"}
`stored` and `value` come from pydicom (Image Position, Image Orientation and Pixel Spacing give `lps`); they are null where
pydicom cannot decode the file or it is coloured. `itk_value` is SimpleITK's value at the same place of the same file; null
where it reads none.
Without --walk the files of FOLDER count as one series of classic images. With it COUNT voxels are drawn from every series
in every folder below, frames of multi-frame objects included, and SimpleITK is left out.
"""

import json
import pathlib
import random
import sys

import numpy as np
import pydicom
import SimpleITK as sitk


def headers(folder, deep):
    """Every image of a folder with its frames' planes: (path, series, frame or None, origin, orientation, spacing)."""
    for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
        if not path.is_file():
            continue
        try:
            data = pydicom.dcmread(path, stop_before_pixels=True)
            if int(data.Rows) * int(data.Columns) == 0 or not data.get("SOPInstanceUID"):
                continue
            found = [(frame, *map(floats, places_of(groups))) for frame, groups in planes(data)]
        except Exception:  # no DICOM, or broken on purpose
            continue
        for frame, *plane in found:
            if all(values is not None for values in plane):
                yield path, str(data.get("SeriesInstanceUID")), frame, *plane


def places_of(groups):
    return [value(groups, sequence, keyword) for sequence, keyword in (
        ("PlanePositionSequence", "ImagePositionPatient"),
        ("PlaneOrientationSequence", "ImageOrientationPatient"),
        ("PixelMeasuresSequence", "PixelSpacing"),
    )]


def floats(values):
    return None if values is None else np.array(values, dtype=float)


def planes(data):
    """Frame numbers from 1 (None for a classic image), each with the places its attributes are looked up in."""
    shared = list(data.get("SharedFunctionalGroupsSequence") or [])
    own = list(data.get("PerFrameFunctionalGroupsSequence") or [])
    if own:
        return [(n + 1, [group, *shared, data]) for n, group in enumerate(own)]
    # Frames without positions of their own: only the first is known to lie anywhere.
    return [(1 if int(data.get("NumberOfFrames") or 1) > 1 else None, [*shared, data])]


def value(places, sequence, keyword):
    for place in places:
        inner = place.get(sequence)
        found = inner[0].get(keyword) if inner else place.get(keyword)
        if found is not None and len(found) > 0:
            return found
    return None


def samples(path):
    try:
        data = pydicom.dcmread(path)
        return data, data.pixel_array
    except Exception:  # a codec that is not installed, or broken on purpose
        return None, None


def draw(images, count, rng):
    per_image = {}
    for _ in range(count):
        per_image.setdefault(rng.randrange(len(images)), []).append((rng.random(), rng.random()))
    return per_image


def tell(folder, images, count, rng, with_itk):
    decoded = (None, None, None)
    for at, spots in sorted(draw(images, count, rng).items()):
        path, series, frame, origin, orientation, spacing = images[at]
        if decoded[0] != path:
            decoded = (path, *samples(path))
        _, data, stored = decoded
        header = data if data is not None else pydicom.dcmread(path, stop_before_pixels=True)
        along_row, down = orientation[:3], orientation[3:]
        between_rows, between_columns = spacing
        is_grey = stored is not None and int(header.get("SamplesPerPixel") or 1) == 1
        if is_grey and int(header.get("NumberOfFrames") or 1) > 1:
            stored = stored[(frame or 1) - 1]
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        itk = None
        if with_itk:
            try:
                itk = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
            except RuntimeError:
                pass
        for u, v in spots:
            row, column = int(u * header.Rows), int(v * header.Columns)
            lps = origin + along_row * between_columns * column + down * between_rows * row
            raw = stored[row, column].item() if is_grey else None
            print(json.dumps({
                "folder": str(folder),
                "series": series,
                "instance": str(header.SOPInstanceUID),
                "frame": frame,
                "voxel": [column, row],
                "lps": lps.tolist(),
                "stored": raw,
                "value": None if raw is None else raw * slope + intercept,
                "itk_value": None if itk is None else float(itk[row, column]),
            }))


def main() -> None:
    folder, count, rng = pathlib.Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    if "--walk" not in sys.argv:
        tell(folder, list(headers(folder, True)), count, rng, True)
        return
    for inner in [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]:
        by_series = {}
        for image in headers(inner, False):
            by_series.setdefault(image[1], []).append(image)
        for images in by_series.values():
            tell(inner, images, count, rng, False)


if __name__ == "__main__":
    main()
