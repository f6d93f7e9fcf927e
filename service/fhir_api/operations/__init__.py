"""Operations of ours on single resources: one file each, named as the operation. ``table`` lists them."""
