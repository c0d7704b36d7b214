# SPDX-License-Identifier: MIT
from no_build import prepare_metadata_for_build_wheel  # noqa: F401
