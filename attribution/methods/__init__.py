"""Attribution methods, one file a family: influence (trak), and similarity, labelled as such."""
