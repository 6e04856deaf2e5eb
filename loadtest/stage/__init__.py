"""What is set up for a load or a fault: real servers, nodes, proxies between them, and a balancer in front.

    async with await Stage.open(folder, nodes=2) as stage:
        await stage.servers.redis.kill()                    # -9; then restart() or restart(empty=True)
        stage.nodes[0].freeze()                             # SIGSTOP; thaw()
        await stage.nodes[1].redis.stall()                  # this node's own way to Redis; mend()

The balancer is HAProxy where that is installed. Everything ends with the harness; only processes that were started
here are ever signalled.
"""

from loadtest.stage.node import Node
from loadtest.stage.servers import Server, Servers
from loadtest.stage.shop import PASSWORD, Account, Shop
from loadtest.stage.stage import BalancerChoice, Stage
from loadtest.stage.wire import Wire

__all__ = ["PASSWORD", "Account", "BalancerChoice", "Node", "Server", "Servers", "Shop", "Stage", "Wire"]
