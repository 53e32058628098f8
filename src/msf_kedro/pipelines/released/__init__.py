"""What others have released, read in place of stages of the DAG, or applied to clips."""

from msf_kedro.pipelines.released.pipeline import (
    create_features_pipeline as create_features_pipeline,
)
from msf_kedro.pipelines.released.pipeline import (
    create_shift_gcn_pipeline as create_shift_gcn_pipeline,
)
