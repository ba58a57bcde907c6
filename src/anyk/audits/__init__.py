"""What a coalition learns from shares: computed from the matrices, and attacked."""
