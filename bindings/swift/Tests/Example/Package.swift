// swift-tools-version: 6.0
// The manifest of a package that uses this one; tools/test-swift builds the Swift of README.md with it.
import PackageDescription

let package = Package(
    name: "example",
    platforms: [.macOS(.v13), .iOS(.v16)],
    dependencies: [.package(name: "hongyan", path: "/hongyan/bindings/swift")],
    targets: [
        .executableTarget(name: "example", dependencies: [.product(name: "Hongyan", package: "hongyan")])
    ]
)
