"""The machine around the containers: where files are kept, and the packages that it lacks."""
