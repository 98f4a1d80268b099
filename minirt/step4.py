"""Step 4: a network of its own.

A network namespace starts empty: no address, no route, a loopback that is down. A veth pair is a
cable with one end inside and the other in a bridge on the host; the container gets an address and
a default route, and nftables rewrites addresses, so that it reaches the outside and published
ports reach it. Containers on the bridge find each other by host name.

examples:
  python -m minirt.step4 -- ip address
  python -m minirt.step4 --publish 8080:80 -- sh -c 'echo hello >/index.html; httpd -f -h /'
  python -m minirt.step4 --network none -- ip address
"""

from minirt import step3
from minirt.stepping.step import Step, main

STEP = Step(
    4, __doc__, adds=("loopback", "bridge", "veth", "nat", "names", "etc_files"), former=step3.STEP
)

if __name__ == "__main__":
    main(STEP)
