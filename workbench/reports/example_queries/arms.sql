-- the arms of an experiment, by the mean over the language pairs
select arm, setting, mean, standard_deviation, n
from arm_measures where experiment = 'quickstart' and measure = 'map' order by setting, mean desc
