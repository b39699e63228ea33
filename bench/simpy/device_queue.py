"""The device queue in SimPy: python3 device_queue.py CLIENTS SERVERS REQUESTS FILE

FILE holds, as 64-bit floating-point numbers, for each request of the first client, then of the next one's, how
long the client thinks before it and how long its service takes, in ps. Prints JSON.
"""

import json
import sys
import time
from array import array

import simpy


def client(env, device, draws, served):
    for at in range(0, len(draws), 2):
        yield env.timeout(draws[at])
        came = env.now
        with device.request() as request:
            yield request
            served["waitPs"] += env.now - came
            yield env.timeout(draws[at + 1])
        served["completions"] += 1


def main():
    clients, servers, requests = (int(word) for word in sys.argv[1:4])
    draws = array("d")
    with open(sys.argv[4], "rb") as file:
        draws.fromfile(file, clients * requests * 2)
    served = {"completions": 0, "waitPs": 0}
    env = simpy.Environment()
    device = simpy.Resource(env, capacity=servers)
    for number in range(clients):
        own = draws[number * requests * 2 : (number + 1) * requests * 2]
        env.process(client(env, device, own, served))
    start = time.perf_counter()
    env.run()
    served["wallMs"] = (time.perf_counter() - start) * 1000
    served["endPs"] = env.now
    print(json.dumps(served))


main()
