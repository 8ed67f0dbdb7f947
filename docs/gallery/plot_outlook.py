"""What an outlook says: answers over the years, with the starts of projects."""

import reeuncert as ree
import reeuncert.plots as ree_plots
from reeuncert.outlook.answers import answers, compare_scenarios, told
from reeuncert.outlook.plans import GrowthFigure, OutlookScenario, Plans, Project, Question
from reeuncert.outlook.run import outlook

# In earnest: ree_plots.plot_outlook("results/china_us_row"), after `reeuncert outlook china_us_row`. Here, a toy.
plans = Plans(
    projects=(
        Project("Wells", "North", "mining", 30, "kt", "Li", 1, 2022.0, 2020.0, "construction", "s"),
        Project("Pit", "South", "mining", 6, "kt", "Li", 1, 2022.5, 2020.0, "study", "s"),
    ),
    growth=(GrowthFigure("demand", "base", "", "", 0.05, 0.02, 0.02, 2020, 2030, "s"),),
    scenarios=(OutlookScenario("learned delays"), OutlookScenario("no wells", fails=("Wells",))),
    questions=(
        Question("apparent_consumption", "North", product="salt", says="Consumption of North"),
        Question("net_import_reliance", "North", says="The part of North's need that is imported", lines=(0.5, 0.25)),
    ),
)
dt = ree.preview(ree.read_case("small_metal"), seed=1)
world = outlook(dt, plans, to=2028)
found = told(world, plans, answers(world, plans), compare_scenarios(dt, plans, to=2028, seed=1))
figure = ree_plots.plot_outlook(found)
