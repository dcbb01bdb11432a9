"""DICOM files whose pixels outside encoders have coded, in codings of which there is no published file at hand.

Usage: make_coded.py OUT
Writes files, and their samples before coding as little endian 32-bit integers, interleaved by pixel, into OUT. JSON lines on
stdout: {"file": name, "syntax": UID, "frames": [path], "slack": most that the coding may have changed a sample}
"""

import json
import pathlib
import sys

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate

ROWS, COLUMNS = 200, 312
J2K, J2K_LOSSLESS = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.90"
HT_LOSSLESS, HT_RPCL, HT = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"
EXTENDED, LOSSLESS, LOSSLESS_SV1 = "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"


def picture(bits: int, signed: bool, components: int) -> np.ndarray:
    """Rings over all values, with a noise of one step in 200."""
    rng = np.random.default_rng(bits + components)
    r, c, k = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), np.arange(components), indexing="ij")
    rings = 0.5 + 0.47 * np.sin(np.hypot(r - 90, c - 150 - 10 * k) / 17.0)
    values = np.rint((rings + rng.uniform(-0.005, 0.005, rings.shape)) * ((1 << bits) - 1)).clip(0, (1 << bits) - 1)
    values = values.astype(np.int32) - ((1 << (bits - 1)) if signed else 0)
    kind = {(8, False): np.uint8, (16, False): np.uint16, (16, True): np.int16}[8 if bits == 8 else 16, signed]
    return (values[:, :, 0] if components == 1 else values).astype(kind)


def write(out: pathlib.Path, name: str, syntax: str, samples: np.ndarray, stream: bytes, bits: int, photometric: str, slack: int) -> None:
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    data.Rows, data.Columns = samples.shape[:2]
    data.SamplesPerPixel = 1 if samples.ndim == 2 else samples.shape[2]
    data.PhotometricInterpretation = photometric
    if data.SamplesPerPixel > 1:
        data.PlanarConfiguration = 0
    data.BitsAllocated, data.BitsStored, data.HighBit = samples.itemsize * 8, bits, bits - 1
    data.PixelRepresentation = int(samples.dtype.kind == "i")
    data.PixelData = encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(out / f"{name}.dcm", enforce_file_format=True)
    samples.astype("<i4").tofile(out / f"{name}.raw")
    print(json.dumps({"file": f"{name}.dcm", "syntax": syntax, "frames": [str(out / f"{name}.raw")], "slack": slack}))


def main() -> None:
    out = pathlib.Path(sys.argv[1])

    def mono(name: str, syntax: str, bits: int, signed: bool, slack: int, encode) -> None:
        samples = picture(bits, signed, 1)
        write(out, name, syntax, samples, encode(samples), bits, "MONOCHROME2", slack)

    def colour(name: str, syntax: str, bits: int, photometric: str, slack: int, encode) -> None:
        samples = picture(bits, False, 3)
        write(out, name, syntax, samples, encode(samples), bits, photometric, slack)

    def j2k(bits: int, **how):
        return lambda samples: imagecodecs.jpeg2k_encode(samples, codecformat="J2K", bitspersample=bits, **how)

    def ht(**how):
        return lambda samples: imagecodecs.htj2k_encode(samples, **how)

    def jpeg(bits: int, **how):
        return lambda samples: imagecodecs.jpeg8_encode(samples, bitspersample=bits, **how)

    for bits, signed in ((8, False), (12, False), (16, False), (16, True)):
        kind = f"{bits}{'s' if signed else 'u'}"
        mono(f"j2k_{kind}", J2K_LOSSLESS, bits, signed, 0, j2k(bits, reversible=True, level=0))
        if not signed:
            # A signal-to-noise ratio in dB: the error stays below half a step on the mean.
            mono(f"j2k_{kind}_lossy", J2K, bits, signed, 3, j2k(bits, reversible=False, level=6.02 * bits + 8))
        # HTJ2K of 12 bits is carried by 16, as many archives do; codestreams of 12 bits are among the codecs' own tests.
        mono(f"ht_{kind}", HT_LOSSLESS, bits, signed, 0, ht(reversible=True))
        mono(f"ht_rpcl_{kind}", HT_RPCL, bits, signed, 0, ht(reversible=True, tile=(64, 64)))
        mono(f"ht_{kind}_lossy", HT, bits, signed, 3, ht(reversible=False, level=0.5 / (1 << (8 if bits == 8 else 16))))
    colour("j2k_rct", J2K_LOSSLESS, 8, "YBR_RCT", 0, j2k(8, reversible=True, level=0, mct=True))
    colour("j2k_rgb_16", J2K_LOSSLESS, 16, "RGB", 0, j2k(16, reversible=True, level=0, mct=False))
    colour("ht_rct", HT_LOSSLESS, 8, "YBR_RCT", 0, ht(reversible=True, rgb=True))
    mono("jpeg_12", EXTENDED, 12, False, 2, jpeg(12, level=100))
    colour("jpeg_12_rgb", EXTENDED, 12, "RGB", 2, jpeg(12, level=100, colorspace="RGB", outcolorspace="RGB"))
    for bits in (8, 12, 16):
        mono(f"jpegll_{bits}", LOSSLESS_SV1, bits, False, 0, jpeg(bits, lossless=True, predictor=1))
        mono(f"jpegll_{bits}_sv6", LOSSLESS, bits, False, 0, jpeg(bits, lossless=True, predictor=6))


if __name__ == "__main__":
    main()
