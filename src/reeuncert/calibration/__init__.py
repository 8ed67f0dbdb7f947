"""Do intervals hold the truth where the truth is known? Truths simulated by other code than the model's, and refits."""

from reeuncert.calibration.calibrate import calibrate
from reeuncert.calibration.recovery import recover
from reeuncert.calibration.result import Calibration
from reeuncert.calibration.simulate import Truth, simulate

__all__ = ["Calibration", "Truth", "calibrate", "recover", "simulate"]
