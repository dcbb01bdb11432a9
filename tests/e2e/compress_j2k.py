"""Copies a series as JPEG 2000 lossless: compress_j2k.py FROM TO. UIDs are kept."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pydicom
from pydicom.uid import JPEG2000Lossless


def copy(pair):
    source, target = pair
    image = pydicom.dcmread(source)
    image.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    image.save_as(target)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    with ProcessPoolExecutor() as pool:
        list(pool.map(copy, [(f, target / f.name) for f in sorted(source.iterdir())]))
