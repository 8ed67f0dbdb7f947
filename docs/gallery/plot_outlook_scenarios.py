"""The answers of an outlook under each scenario."""

import runpy
from pathlib import Path

import reeuncert.plots as ree_plots

# In earnest: ree_plots.plot_outlook_scenarios("results/china_us_row"). Here, the toy of plot_outlook.py.
found = runpy.run_path(str(Path(__file__).with_name("plot_outlook.py")))["found"]
figure = ree_plots.plot_outlook_scenarios(found)
