"""What several metrics share: intervals, declared ranges, descriptors, the pieces of SWD."""
