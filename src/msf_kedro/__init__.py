"""Zero-shot recognition of human actions from 3D skeletons: the MSF method as a Kedro pipeline."""

__version__ = "0.1.0"
