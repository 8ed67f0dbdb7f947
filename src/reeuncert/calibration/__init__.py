"""Simulation-based calibration: truths simulated by code independent of the model, and refits."""

from reeuncert.calibration.calibrate import calibrate
from reeuncert.calibration.recovery import recover
from reeuncert.calibration.result import Calibration
from reeuncert.calibration.simulate import Truth, simulate

__all__ = ["Calibration", "Truth", "calibrate", "recover", "simulate"]
