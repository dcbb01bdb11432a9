"""Random voxels of a DICOM series as pydicom and SimpleITK read them, as JSON lines on stdout.

Usage: reference_voxels.py FOLDER COUNT SEED
Each line: {"instance", "lps": [x, y, z], "stored", "value", "itk_value" or null}
`stored` and `value` come from pydicom (Image Position, Image Orientation and Pixel Spacing give `lps`);
`itk_value` is SimpleITK's value at the same place of the same file.
"""

import json
import pathlib
import random
import sys

import numpy as np
import pydicom
import SimpleITK as sitk


def main() -> None:
    folder, count, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    images = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            continue
        if "ImagePositionPatient" in header and "Rows" in header:
            images.append(path)
    per_image = {}
    for _ in range(count):
        per_image.setdefault(rng.choice(images), []).append((rng.random(), rng.random()))
    for path, spots in per_image.items():
        data = pydicom.dcmread(path)
        stored = data.pixel_array
        slope, intercept = float(getattr(data, "RescaleSlope", 1)), float(getattr(data, "RescaleIntercept", 0))
        origin = np.array(data.ImagePositionPatient, dtype=float)
        along_row = np.array(data.ImageOrientationPatient[:3], dtype=float)
        down = np.array(data.ImageOrientationPatient[3:], dtype=float)
        between_rows, between_columns = (float(x) for x in data.PixelSpacing)
        try:
            itk = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
        except RuntimeError:
            itk = None
        for u, v in spots:
            row, column = int(u * data.Rows), int(v * data.Columns)
            lps = origin + along_row * between_columns * column + down * between_rows * row
            raw = int(stored[row, column])
            print(json.dumps({
                "instance": data.SOPInstanceUID,
                "lps": lps.tolist(),
                "stored": raw,
                "value": raw * slope + intercept,
                "itk_value": None if itk is None else float(itk[row, column]),
            }))


if __name__ == "__main__":
    main()
