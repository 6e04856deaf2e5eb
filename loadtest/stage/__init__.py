"""What is set up for a load or a fault: real servers, nodes, proxies between them, and a balancer in front.

    async with await Stage.open(folder, nodes=2) as stage:
        await stage.servers.redis.kill()                    # -9; then restart() or restart(empty=True)
        stage.nodes[0].freeze()                             # SIGSTOP; thaw()
        await stage.nodes[1].redis.stall()                  # this node's own way to Redis; mend()

Everything ends with the harness. Only processes that were started here are ever signalled.
"""

from loadtest.stage.node import Node
from loadtest.stage.servers import Server, Servers
from loadtest.stage.shop import PASSWORD, Account, Shop
from loadtest.stage.stage import Stage
from loadtest.stage.wire import Wire

__all__ = ["PASSWORD", "Account", "Node", "Server", "Servers", "Shop", "Stage", "Wire"]
