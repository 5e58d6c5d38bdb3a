from nomoi import govern
from nomoi.situations.pool import Pool
from nomoi.institutions.levy import Levy
DISCOUNT, SLACK = 0.95, 0.1
def fishery(agents, theta):
    return govern(Pool(agents=agents, points=41), Levy(on="request", proceeds="shared", rate=theta*agents/(agents-1)))
