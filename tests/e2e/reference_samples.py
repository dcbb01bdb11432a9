"""Stored samples of compressed DICOM files as pydicom reads them, or SimpleITK where pydicom has no decoder (JPEG of 12 bits).

Usage: reference_samples.py ROOT OUT
Walks ROOT; of every file with compressed pixels it decodes the first frames, without turning colours, and writes them into OUT
as little endian 32-bit integers, interleaved by pixel. One JSON line for each file on stdout:
{"file": path below ROOT, "syntax": UID, "frames": [paths], "error": text or null}
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.pixels import get_decoder

FRAMES = 3


def frames(path: pathlib.Path) -> list[np.ndarray]:
    data = pydicom.dcmread(path)
    indices = range(min(FRAMES, int(data.get("NumberOfFrames") or 1)))
    try:
        return [get_decoder(data.file_meta.TransferSyntaxUID).as_array(data, raw=True, index=index)[0] for index in indices]
    except (RuntimeError, NotImplementedError):
        rescaled = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        # Of the image, or of a functional group of all frames.
        rescale = {element.keyword: float(element.value) for element in data.iterall() if element.keyword.startswith("Rescale") and element.VR == "DS"}
        slope, intercept = rescale.get("RescaleSlope", 1.0), rescale.get("RescaleIntercept", 0.0)
        return list(np.rint((rescaled[: len(indices)] - intercept) / slope))


def main() -> None:
    warnings.simplefilter("ignore")
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for path in sorted(root.rglob("*")):
        # One slice of the big series is like the next.
        if not path.is_file() or ("chest_lidc" in path.parent.name and not path.name.endswith("50.dcm")):
            continue
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            syntax = header.file_meta.TransferSyntaxUID
            if not syntax.is_encapsulated or "Rows" not in header:
                continue
        except (pydicom.errors.InvalidDicomError, AttributeError, ValueError):
            continue
        line = {"file": str(path.relative_to(root)), "syntax": str(syntax), "frames": [], "error": None}
        try:
            for samples in frames(path):
                name = out / f"{len(list(out.iterdir()))}.raw"
                # Unsigned samples of 32 bits keep their bits.
                (samples.astype("<u4") if samples.dtype == np.uint32 else samples.astype("<i4")).tofile(name)
                line["frames"].append(str(name))
        except Exception as error:  # Whatever it is, the reader could not.
            line["error"] = f"{type(error).__name__}: {error}"[:300]
        print(json.dumps(line))


if __name__ == "__main__":
    main()
