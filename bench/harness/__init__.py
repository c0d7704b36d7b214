# SPDX-License-Identifier: MIT
"""What ./dev bench is made of; bench/run starts it."""
