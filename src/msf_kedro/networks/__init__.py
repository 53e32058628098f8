"""Networks: plain PyTorch modules without knowledge of files, devices or training."""
