"""One shuffled pass over fields a and u of an HDF5 file with h5py and torch's DataLoader, as people write it.

    reader_peer.py FILE BATCH [WORKERS]     prints the seconds it took; the imports do not count
"""
import sys
import time

import h5py
import torch
from torch.utils.data import DataLoader, Dataset


class Samples(Dataset):
    def __init__(self, path):
        self.path, self.file = path, None
        with h5py.File(path) as file:
            self.size = file["a"].shape[0]

    def __len__(self):
        return self.size

    def __getitem__(self, i):
        if self.file is None:  # each worker its own
            self.file = h5py.File(self.path)
        return torch.from_numpy(self.file["a"][i]), torch.from_numpy(self.file["u"][i])


if __name__ == "__main__":
    path, batch = sys.argv[1], int(sys.argv[2])
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    start = time.perf_counter()
    samples = 0
    for a, u in DataLoader(Samples(path), batch_size=batch, shuffle=True, num_workers=workers):
        samples += len(a)
    seconds = time.perf_counter() - start
    assert samples == len(Samples(path))
    print(seconds)
