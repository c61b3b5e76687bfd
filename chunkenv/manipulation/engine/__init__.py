"""Many manipulation environments played side by side in compiled code, on MuJoCo's own data."""
