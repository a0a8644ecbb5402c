export const words = "as it was";
