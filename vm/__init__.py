"""Machines to run minirt on: guests for its own tests (harness/), and a box with Vagrant."""
